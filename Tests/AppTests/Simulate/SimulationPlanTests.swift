import Testing

@testable import App

@Suite struct `A simulation's plan` {
  @Test(arguments: [
    ("http://127.0.0.1:8080", "127.0.0.1", 8080), ("http://127.0.0.1:8080/", "127.0.0.1", 8080),
    ("HTTP://Meters.Example", "meters.example", 80), ("http://[::1]:9000", "::1", 9000),
    ("http://[::1]", "::1", 80), ("http://localhost:1", "127.0.0.1", 1),
  ])
  func `takes a server's URL`(_ url: String, _ host: String, _ port: UInt16) throws {
    let address = try ServerAddress(url)
    #expect(address.host == host && address.port == port)
  }

  @Test(arguments: [
    "", "127.0.0.1:8080", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:", "http://a/b",
    "http://a//", "http://u:p@a", "http://[::1", "ftp://a", "http://a b", "https://a",
  ])
  func `refuses what is none`(_ url: String) {
    let code = #expect(throws: ExitFailure.self) { try ServerAddress(url) }?.code
    #expect(code == 64)
  }

  private func plan(
    _ meters: SimulationPlan.Meters, rate: Double? = 1, seconds: Int? = nil, batch: Int = 1,
    connections: Int = 1
  ) throws(ExitFailure) -> SimulationPlan {
    try SimulationPlan(
      server: ServerAddress("http://a"), credentials: .token("t"), meters: meters, rate: rate,
      seconds: seconds, batch: batch, connections: connections)
  }

  @Test func `has limits for everything`() throws {
    _ = try plan(.devices(100_000), rate: 1_000_000, seconds: 1, batch: 1000, connections: 256)
    _ = try plan(.file("a"), rate: nil)
    let wrong: [() throws -> SimulationPlan] = [
      { try plan(.devices(0)) }, { try plan(.devices(100_001)) }, { try plan(.devices(1), rate: nil) },
      { try plan(.devices(1), rate: 1001) }, { try plan(.devices(1), rate: 0) },
      { try plan(.devices(1), rate: -1) }, { try plan(.devices(1), rate: .nan) },
      { try plan(.devices(100_000), rate: .infinity) }, { try plan(.devices(1), seconds: 0) },
      { try plan(.devices(1), batch: 0) }, { try plan(.devices(1), batch: 1001) },
      { try plan(.devices(1), connections: 0) }, { try plan(.devices(1), connections: 257) },
      { try plan(.file("a"), seconds: 1) },
    ]
    for make in wrong { #expect(throws: ExitFailure.self) { try make() } }
  }
}
