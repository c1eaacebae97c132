/// Time from its making on: of the clock, and of the server's process if it is known.
struct Stopwatch {
  private let start = Clock.now
  private let server: ServerProcess?
  private let cpuTime: Double?

  init(_ common: CommonOptions) throws {
    server = common.serverPid.map(ServerProcess.init)
    cpuTime = try server?.cpuTime()
  }

  /// - Returns: seconds, and the server's microseconds.
  func read() throws -> (elapsed: Double, server: Double?) {
    let elapsed = Double(Clock.now - start) / 1e9
    guard let server, let cpuTime else { return (elapsed, nil) }
    return (elapsed, try server.cpuTime() - cpuTime)
  }
}
