import ArgumentParser

struct ChatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat", abstract: "Users in pairs who write to each other: rate, acknowledgement, delivery.",
    discussion: """
      Without --rate each sender sends again when a message of its is acknowledged (closed loop). With --rate
      messages leave on a schedule, and latency counts from the scheduled time, so that a server that stalls
      does not hide it.
      """)

  /// How long the last acknowledgements and deliveries may take.
  private static let patience = 5.0

  @OptionGroup var common: CommonOptions
  @Option(help: "Lines 'id,username,token' (wattloop user add --load-test N).") var tokens: String
  @Option(help: "How many users send; even.") var senders = 200
  @Option(help: "Messages under way of each sender, without --rate.") var depth = 1
  @Option(help: "Messages a second of all senders together.") var rate: Double?
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "How long it is measured.") var seconds = 10.0
  @Option(help: "How long it runs before.") var warmup = 1.0

  func validate() throws {
    guard senders > 0, senders % 2 == 0 else { throw ValidationError("--senders must be even") }
    guard bytes >= 16, depth > 0, seconds > 0, warmup >= 0, rate ?? 1 > 0 else {
      throw ValidationError("numbers must be positive, --bytes at least 16")
    }
  }

  func run() throws {
    let load = try prepare()
    let pace = try rate.map { rate in
      try Pace(perSecond: rate, until: Clock.after(warmup + seconds)) { [unowned load] in
        load.sendNext(intended: $0)
      }
    }
    if let pace { try pace.start(on: load.loop) } else { load.startAll(depth: depth) }
    load.run(until: Clock.after(warmup))

    let stopwatch = try Stopwatch(common)
    let before = load.counts
    load.resetLatencies()
    load.run(until: Clock.after(seconds))
    let after = load.counts
    let time = try stopwatch.read()

    load.stopSending()
    load.run(until: Clock.after(Self.patience), or: { load.isComplete })
    report(load, before, after, time).print(json: common.json)
    try check(load)
  }

  private func prepare() throws -> ChatLoad {
    let users = try Account.read(tokens, count: senders)
    let conversations = try Conversations.direct(users, at: common).map(\.id)
    let load = try ChatLoad(
      .chat(common, users), conversations: conversations, textBytes: bytes, isClosedLoop: rate == nil)
    try load.open(senders)
    return load
  }

  private func report(
    _ load: ChatLoad, _ before: ChatLoad.Counts, _ after: ChatLoad.Counts, _ time: Stopwatch.Reading
  ) -> Report {
    let acknowledged = Double(after.acknowledged - before.acknowledged)
    var report = Report("chat")
    report.add("acks_per_second", acknowledged / time.elapsed, digits: 0)
    report.add("deliveries_per_second", Double(after.delivered - before.delivered) / time.elapsed, digits: 0)
    report.add("ack", load.untilAcknowledged)
    report.add("delivery", load.untilDelivered)
    if let cpu = time.server {
      report.add("server_cpu_us_per_message", cpu / max(1, acknowledged), digits: 2)
    }
    report.add("client_share", time.clientShare, digits: 2)
    report.add("sent", load.counts.sent)
    report.add("missing_acks", load.counts.sent - load.counts.acknowledged)
    report.add("missing_deliveries", load.counts.sent - load.counts.delivered)
    report.add("errors", load.counts.errors)
    return report
  }

  private func check(_ load: ChatLoad) throws {
    if let error = load.firstError { throw Failure("the server answered \(error)") }
    if !load.isComplete { throw Failure("acknowledgements or deliveries are missing") }
    if load.counts.errors > 0 { throw Failure("messages came twice, or where they do not belong") }
    if load.closedCount > 0 { throw Failure("\(load.closedCount) connections were closed") }
  }
}
