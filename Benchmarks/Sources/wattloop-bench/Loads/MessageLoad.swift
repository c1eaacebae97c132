import Reactor

/// Messages, or requests, of which each is answered or delivered: in a closed loop or on a schedule.
protocol MessageLoad: Watched {
  var loop: EventLoop { get }
  var timeline: Timeline? { get set }
  /// What `doneCount` counts, as the report's keys have it.
  var unit: MeasuredUnit { get }

  /// Closed loop: `depth` are under way on each connection, or in each room, and every answer sends the next.
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

enum MeasuredUnit: String {
  case message, delivery

  var plural: String {
    switch self {
    case .message: "messages"
    case .delivery: "deliveries"
    }
  }
}

/// How a load is run.
struct LoadPlan {
  /// Under way in a closed loop.
  var depth = 1
  /// Messages a second of an open loop; nil for a closed one.
  var rate: Double?
  let warmup: Double
  let seconds: Double
}

extension MessageLoad {
  /// How long the last answers and deliveries may take, in seconds.
  private var patience: Double { 15 }
  /// A double may still be on its way so long.
  private var afterwards: Double { 0.3 }

  /// Warms up, measures, and waits for what is under way.
  func measure(_ name: String, _ plan: LoadPlan, on run: Run) throws -> Report {
    timeline?.begin("warming up", seconds: plan.warmup)
    let pace = try plan.rate.map { rate in
      try Pace(perSecond: rate, until: Clock.after(plan.warmup + plan.seconds)) { [unowned self] in
        sendNext(intended: $0)
      }
    }
    if let pace { try pace.start(on: loop) } else { startAll(depth: plan.depth) }
    self.run(until: Clock.after(plan.warmup), or: { false })

    timeline?.begin("measuring", seconds: plan.seconds)
    let stopwatch = try Stopwatch(run.site)
    let before = doneCount
    resetLatencies()
    self.run(until: Clock.after(plan.seconds), or: { false })
    let done = Double(doneCount - before)
    let time = try stopwatch.read()

    timeline?.begin("waiting for the last answers")
    stopSending()
    self.run(until: Clock.after(patience), or: { isComplete })
    self.run(until: Clock.after(afterwards), or: { false })
    var report = Report(name)
    report.add("\(unit.plural)_per_second", done / time.elapsed, digits: 0)
    addLatencies(to: &report)
    if let cpu = time.server { report.add("server_cpu_us_per_\(unit)", cpu / max(1, done), digits: 3) }
    report.add("client_share", time.clientShare, digits: 2)
    addCounts(to: &report)
    report.add("errors", errorCount)
    return report
  }
}
