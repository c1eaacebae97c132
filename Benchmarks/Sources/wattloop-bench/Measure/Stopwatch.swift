/// Time from its making on: of the clock, of this process, and of the server's if it is known.
struct Stopwatch {
  struct Reading {
    /// Seconds.
    let elapsed: Double
    /// The server's microseconds.
    let server: Double?
    /// This process's microseconds.
    let client: Double

    /// How busy the client was, of one core: near 1 it is the client that is measured.
    var clientShare: Double { client / max(1, elapsed * 1e6) }
  }

  private let start = Clock.now
  private let clientTime = Clock.cpuTime
  private let server: ServerProcess?
  private let serverTime: Double?

  init(_ site: Site) throws {
    server = site.serverPid.map(ServerProcess.init)
    serverTime = try server?.cpuTime()
  }

  func read() throws -> Reading {
    let used = try serverTime.flatMap { time in try server.map { try $0.cpuTime() - time } }
    return Reading(
      elapsed: Double(Clock.now - start) / 1e9, server: used, client: Double(Clock.cpuTime - clientTime) / 1e3
    )
  }
}
