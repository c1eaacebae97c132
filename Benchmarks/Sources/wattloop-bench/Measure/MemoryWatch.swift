/// The server's greatest memory in a time, looked at every 20 ms.
struct MemoryWatch {
  private static let interval: UInt64 = 20_000_000
  private let server: ServerProcess
  private var next: UInt64 = 0
  private(set) var peak = 0

  init?(_ site: Site) {
    guard let pid = site.serverPid else { return nil }
    server = ServerProcess(pid: pid)
  }

  mutating func look() throws {
    guard Clock.now >= next else { return }
    next = Clock.now + Self.interval
    peak = max(peak, try server.anonymousBytes())
  }
}
