import Reactor

/// Messages, or requests, of which each is answered: in a closed loop or on a schedule.
protocol MessageLoad: Watched {
  var loop: EventLoop { get }
  var timeline: Timeline? { get set }

  /// Closed loop: each connection has `depth` under way, and every answer sends the next.
  func startAll(depth: Int)
  /// Open loop: whoever is next sends. Latency counts from when it should have been sent.
  func sendNext(intended: UInt64)
  func stopSending()
  func run(until time: UInt64, or isDone: () -> Bool)

  /// Nothing is under way.
  var isComplete: Bool { get }
  func resetLatencies()
  func addLatencies(to report: inout Report)
  /// What was sent in all, what is missing, and what should not have happened.
  func addCounts(to report: inout Report)
}

extension MessageLoad {
  /// Warms up, measures, and waits for what is under way.
  /// - Parameters:
  ///   - depth: of a closed loop.
  ///   - rate: messages a second of an open one.
  func measure(
    _ name: String, depth: Int, rate: Double?, warmup: Double, seconds: Double, on run: Run
  ) throws -> Report {
    timeline?.begin("warming up", seconds: warmup)
    let pace = try rate.map { rate in
      try Pace(perSecond: rate, until: Clock.after(warmup + seconds)) { [unowned self] in
        sendNext(intended: $0)
      }
    }
    if let pace { try pace.start(on: loop) } else { startAll(depth: depth) }
    self.run(until: Clock.after(warmup), or: { false })

    timeline?.begin("measuring", seconds: seconds)
    let stopwatch = try Stopwatch(run.site)
    let before = doneCount
    resetLatencies()
    self.run(until: Clock.after(seconds), or: { false })
    let done = Double(doneCount - before)
    let time = try stopwatch.read()

    timeline?.begin("waiting for the last answers")
    stopSending()
    self.run(until: Clock.after(5), or: { isComplete })
    var report = Report(name)
    report.add("messages_per_second", done / time.elapsed, digits: 0)
    addLatencies(to: &report)
    if let cpu = time.server { report.add("server_cpu_us_per_message", cpu / max(1, done), digits: 3) }
    report.add("client_share", time.clientShare, digits: 2)
    addCounts(to: &report)
    report.add("errors", errorCount)
    return report
  }
}
