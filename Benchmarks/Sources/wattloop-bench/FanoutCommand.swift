import ArgumentParser

struct FanoutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fanout", abstract: "Rooms whose members are all online: every message to everybody.",
    discussion: """
      Each room is a new group of users of its own, who write in turn. Without --rate a room has --depth messages under
      way, and each acknowledgement sends the next (closed loop). With it, messages leave on a schedule, and latency
      counts from the scheduled time. Fails unless every stored message reached every other member once.
      """)

  /// How long the last acknowledgements and deliveries may take.
  private static let patience = 15.0

  @OptionGroup var common: CommonOptions
  @Option(help: "Lines 'id,username,token' (wattloop user add --load-test N).") var tokens: String
  @Option(help: "The members of a room.") var room = 100
  @Option(help: "How many rooms.") var rooms = 10
  @Option(help: "Messages under way in each room, without --rate.") var depth = 1
  @Option(help: "Messages a second of all rooms together.") var rate: Double?
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "Deliveries are timed of one message in so many; counted are all.") var sample = 4
  @Option(help: "How long it is measured.") var seconds = 10.0
  @Option(help: "How long it runs before.") var warmup = 2.0

  func validate() throws {
    guard room > 1, rooms > 0, depth > 0, sample > 0, bytes >= 16, seconds > 0, warmup >= 0, rate ?? 1 > 0
    else { throw ValidationError("numbers must be positive, --room at least 2, --bytes at least 16") }
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
    // A double may still be on its way.
    load.run(until: Clock.after(0.3))
    report(load, before, after, time).print(json: common.json)
    try check(load)
  }

  private func prepare() throws -> FanoutLoad {
    let accounts = try Account.read(tokens, count: room * rooms)
    let members = (0..<rooms).map { Array(accounts[$0 * room..<($0 + 1) * room]) }
    let conversations = try Conversations.groups(members, title: "Fan-out", at: common)
    let load = try FanoutLoad(
      .chat(common, accounts), conversations: conversations, roomSize: room, textBytes: bytes, sample: sample,
      isClosedLoop: rate == nil)
    try load.open(accounts.count)
    return load
  }

  private func report(
    _ load: FanoutLoad, _ before: FanoutLoad.Counts, _ after: FanoutLoad.Counts, _ time: Stopwatch.Reading
  ) -> Report {
    let delivered = Double(after.delivered - before.delivered)
    var report = Report("fanout \(room)")
    report.add("deliveries_per_second", delivered / time.elapsed, digits: 0)
    report.add(
      "messages_per_second", Double(after.acknowledged - before.acknowledged) / time.elapsed, digits: 0)
    report.add("ack", load.untilAcknowledged)
    report.add("delivery", load.untilDelivered)
    if let cpu = time.server { report.add("server_cpu_us_per_delivery", cpu / max(1, delivered), digits: 3) }
    report.add("client_share", time.clientShare, digits: 2)
    report.add("sent", load.counts.sent)
    report.add("delivered", load.counts.delivered)
    report.add("missing_acks", load.counts.sent - load.counts.acknowledged)
    report.add("missing_deliveries", load.missingDeliveries)
    report.add("doubles", load.counts.doubles)
    report.add("errors", load.counts.errors)
    return report
  }

  private func check(_ load: FanoutLoad) throws {
    if let error = load.firstError { throw Failure("the server answered \(error)") }
    if load.closedCount > 0 { throw Failure("\(load.closedCount) connections were closed") }
    if load.counts.doubles > 0 { throw Failure("messages came twice, or out of order") }
    if !load.isComplete || load.missingDeliveries > 0 {
      throw Failure("acknowledgements or deliveries are missing")
    }
    if load.counts.errors > 0 { throw Failure("messages came where they do not belong") }
    if load.roomsWithGaps > 0 { throw Failure("seq has gaps in \(load.roomsWithGaps) rooms") }
  }
}
