/// What connections cost: how fast they open between two numbers of them, and the memory at both.
struct ConnectionSlope {
  /// Bytes at a number of connections.
  private struct Memory {
    let server: Int?
    let kernel: Int
  }

  private let from: Int
  private let to: Int
  private let first: Memory
  private let second: Memory
  private let opening: Stopwatch.Reading
  private let ends: Double

  /// Opens the load's connections.
  /// - Parameter settle: seconds for which the server is left alone before its memory is read.
  init(
    of load: Load, from: Int, to: Int, rate: Double? = nil, window: Int = Load.opening, settle: Double,
    on run: Run
  ) throws {
    self.from = from
    self.to = to
    // The kernel's memory is that of the machine: it has both ends if the client is on it, too.
    ends = run.site.host.hasPrefix("127.") ? 2 : 1
    func memory() throws -> Memory {
      load.run(until: Clock.after(settle))
      return Memory(
        server: try run.site.serverPid.map { try ServerProcess(pid: $0).privateBytes() },
        kernel: try KernelMemory.slabBytes())
    }
    try load.open(from, rate: rate, window: window)
    first = try memory()
    let stopwatch = try Stopwatch(run.site)
    try load.open(to, rate: rate, window: window)
    opening = try stopwatch.read()
    second = try memory()
  }

  func add(to report: inout Report) {
    let count = Double(to - from)
    report.add("connections", to)
    report.add("accepts_per_second", count / opening.elapsed, digits: 0)
    if let cpu = opening.server { report.add("server_cpu_us_per_accept", cpu / count) }
    if let before = first.server, let after = second.server {
      report.add("bytes_per_connection", Double(after - before) / count)
      report.add("server_bytes", after)
    }
    report.add("kernel_bytes_per_connection", Double(second.kernel - first.kernel) / count / ends, digits: 0)
    report.add("kernel_bytes", second.kernel)
  }
}
