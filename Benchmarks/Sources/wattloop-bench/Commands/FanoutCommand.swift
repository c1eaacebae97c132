import ArgumentParser

struct FanoutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fanout",
    abstract: "Rooms in which every member hears everything: deliveries a second, latency.",
    discussion: """
      With wattloop the members of a room write in turn, and what is delivered is stored. Without --rate a room has --depth
      messages under way, and each acknowledgement sends the next (closed loop). With it, messages leave on a schedule,
      and latency counts from the scheduled time. With echo, a room is a WebSocket path that sends each message to all
      of its sockets, and one member writes. Fails unless every message reached every member once.
      """)

  /// How long the last acknowledgements and deliveries may take.
  private static let patience = 15.0

  @OptionGroup var options: RunOptions
  @Option(
    name: .customLong("protocol"), help: "wattloop (stored groups) or echo (rooms of any WebSocket server).")
  var kind = BenchProtocol.wattloop
  @Option(help: "With echo: where the rooms are; a number follows.") var path = "/room/"
  @Option(help: "The members of a room; may be repeated: one room size after the other.") var room: [Int] = []
  @Option(help: "How many rooms.") var rooms = 10
  @Option(help: "Messages under way in each room, without --rate.") var depth = 1
  @Option(help: "Messages a second of all rooms together.") var rate: Double?
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "Deliveries are timed of one message in so many; counted are all.") var sample = 4
  @Option(help: "How long it is measured.") var seconds = 10.0
  @Option(help: "How long it runs before.") var warmup = 2.0

  private var sizes: [Int] { room.isEmpty ? [100] : room }

  func validate() throws {
    guard sizes.allSatisfy({ $0 > 1 }), rooms > 0, depth > 0, sample > 0, seconds > 0, warmup >= 0,
      rate ?? 1 > 0
    else { throw ValidationError("numbers must be positive, --room at least 2") }
    switch kind {
    case .wattloop:
      guard bytes >= SendTemplate.leastText else {
        throw ValidationError("--bytes must be at least \(SendTemplate.leastText)")
      }
    case .echo: if rate != nil { throw ValidationError("--rate is for the protocol wattloop") }
    case .http: throw ValidationError("there are no rooms in http")
    }
  }

  func run() throws {
    try Run.perform(options, needsWattloop: kind == .wattloop) { run in
      try sizes.map { size in
        kind == .wattloop ? try measureGroups(of: size, on: run) : try measureRooms(of: size, on: run)
      }
    }
  }

  // MARK: Stored groups

  private func measureGroups(of size: Int, on run: Run) throws -> Report {
    let load = try prepareGroups(of: size, on: run)
    run.timeline.begin("warming up", seconds: warmup)
    let pace = try rate.map { rate in
      try Pace(perSecond: rate, until: Clock.after(warmup + seconds)) { [unowned load] in
        load.sendNext(intended: $0)
      }
    }
    if let pace { try pace.start(on: load.loop) } else { load.startAll(depth: depth) }
    load.run(until: Clock.after(warmup))

    run.timeline.begin("measuring", seconds: seconds)
    let stopwatch = try Stopwatch(run.site)
    let before = load.counts
    load.resetLatencies()
    load.run(until: Clock.after(seconds))
    let after = load.counts
    let time = try stopwatch.read()

    load.stopSending()
    load.run(until: Clock.after(Self.patience), or: { load.isComplete })
    // A double may still be on its way.
    load.run(until: Clock.after(0.3))
    var report = Report("fanout \(size)")
    let delivered = after.delivered - before.delivered
    add(delivered, time, to: &report)
    report.add(
      "messages_per_second", Double(after.acknowledged - before.acknowledged) / time.elapsed, digits: 0)
    load.addFindings(to: &report)
    return report
  }

  private func prepareGroups(of size: Int, on run: Run) throws -> FanoutLoad {
    let accounts = try run.accounts(size * rooms)
    let members = (0..<rooms).map { Array(accounts[$0 * size..<($0 + 1) * size]) }
    let conversations = try Conversations.groups(members, title: "Fan-out", at: run.site)
    let load = try FanoutLoad(
      .chat(run.site, accounts), conversations: conversations, roomSize: size, textBytes: bytes,
      sample: sample,
      isClosedLoop: rate == nil)
    load.timeline = run.timeline
    try load.open(accounts.count)
    return load
  }

  // MARK: Rooms of any server

  private func measureRooms(of size: Int, on run: Run) throws -> Report {
    let target = Load.Target(host: run.site.host, port: run.site.port, path: path, roomSize: size)
    let load = try BroadcastLoad(target, rooms: rooms, depth: depth, bytes: bytes)
    load.timeline = run.timeline
    try load.open(rooms * size)
    load.start()
    run.timeline.begin("warming up", seconds: warmup)
    load.run(until: Clock.after(warmup))

    run.timeline.begin("measuring", seconds: seconds)
    let stopwatch = try Stopwatch(run.site)
    let before = load.deliveries
    load.run(until: Clock.after(seconds))
    let delivered = load.deliveries - before
    let time = try stopwatch.read()

    load.stopSending()
    load.run(until: Clock.after(Self.patience), or: { load.missing == 0 })
    var report = Report("fanout echo \(size)")
    add(delivered, time, to: &report)
    load.addFindings(to: &report)
    return report
  }

  private func add(_ delivered: Int, _ time: Stopwatch.Reading, to report: inout Report) {
    report.add("deliveries_per_second", Double(delivered) / time.elapsed, digits: 0)
    if let cpu = time.server {
      report.add("server_cpu_us_per_delivery", cpu / Double(max(1, delivered)), digits: 3)
    }
    report.add("client_share", time.clientShare, digits: 2)
  }
}
