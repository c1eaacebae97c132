import ArgumentParser

struct SoakCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "A steady chat for a long time, while others come and go: does anything grow?",
    discussion: """
      Users in pairs write on a schedule, as with 'latency', and others connect and leave all the time. The server's memory
      is read over the second half of the run: its slope says whether something leaks. Every message must be answered and
      delivered once, and no connection may be lost.
      """)

  @OptionGroup var options: RunOptions
  @Option(help: "Users in pairs who chat; even.") var connections = 200
  @Option(help: "Messages a second of all of them.") var rate = 500.0
  @Option(help: "Users who come and go; half of them are there.") var visitors = 200
  @Option(help: "How many come a second, and as many go.") var visits = 20.0
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "How long it runs.") var seconds = 3600.0

  func validate() throws {
    guard connections > 0, connections % 2 == 0, visitors >= 2, rate > 0, visits > 0, seconds > 0,
      bytes >= SendTemplate.leastText
    else {
      throw ValidationError(
        "numbers must be positive, --connections even, --visitors at least 2, --bytes at least \(SendTemplate.leastText)"
      )
    }
  }

  func run() throws { try Run.perform(options) { [try measure(on: $0)] } }

  private func measure(on run: Run) throws -> Report {
    let accounts = try run.accounts(connections + visitors)
    let users = Array(accounts[..<connections])
    let conversations = try Conversations.direct(users, at: run.site).map(\.id)
    let chat = try ChatLoad(
      .chat(run.site, users), conversations: conversations, textBytes: bytes, isClosedLoop: false)
    chat.timeline = run.timeline
    try chat.open(connections)
    let guests = try Visitors(.chat(run.site, Array(accounts[connections...]), network: 1), loop: chat.loop)
    var failure: (any Error)?
    let arrivals = try Pace(perSecond: visits, until: Clock.after(seconds)) { [unowned guests] _ in
      do { try guests.exchange() } catch { failure = failure ?? error }
    }
    try arrivals.start(on: chat.loop)
    var report = try chat.measure("soak", LoadPlan(rate: rate, warmup: 0, seconds: seconds), on: run)
    if let failure { throw failure }
    report.add("visits", guests.visits)
    report.add("lost_visitors", guests.lostCount)
    report.require(guests.lostCount == 0, "\(guests.lostCount) visitors were thrown out")
    addGrowth(of: run.timeline.samples, to: &report)
    return report
  }

  /// A straight line through the second half's readings (least squares), in bytes an hour.
  private func addGrowth(of samples: [Sample], to report: inout Report) {
    let points = samples.suffix(samples.count / 2).compactMap { sample in
      sample.serverBytes.map { (x: sample.time, y: Double($0)) }
    }
    guard points.count > 1, let last = points.last else { return }
    let count = Double(points.count)
    let middle = (
      x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count
    )
    let slope =
      points.reduce(0) { $0 + ($1.x - middle.x) * ($1.y - middle.y) }
      / points.reduce(0) { $0 + ($1.x - middle.x) * ($1.x - middle.x) }
    report.add("server_bytes", Int(last.y))
    report.add("growth_bytes_per_hour", slope * 3600, digits: 0)
  }
}
