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
    case .echo: break
    case .http: throw ValidationError("there are no rooms in http")
    }
  }

  func run() throws {
    try Run.perform(options, needsWattloop: kind == .wattloop) { run in
      try sizes.map { size in
        try load(of: size, on: run).measure(
          kind == .wattloop ? "fanout \(size)" : "fanout \(kind) \(size)",
          LoadPlan(depth: depth, rate: rate, warmup: warmup, seconds: seconds), on: run)
      }
    }
  }

  /// Opens the connections.
  private func load(of size: Int, on run: Run) throws -> any MessageLoad {
    let load =
      kind == .wattloop ? try storedGroups(of: size, on: run) : try rooms(of: size, on: run)
    load.timeline = run.timeline
    try load.open(size * rooms)
    return load
  }

  private func storedGroups(of size: Int, on run: Run) throws -> Load & MessageLoad {
    let accounts = try run.accounts(size * rooms)
    let members = (0..<rooms).map { Array(accounts[$0 * size..<($0 + 1) * size]) }
    let conversations = try Conversations.groups(members, title: "Fan-out", at: run.site)
    return try FanoutLoad(
      .chat(run.site, accounts), conversations: conversations, roomSize: size, textBytes: bytes,
      sample: sample,
      isClosedLoop: rate == nil)
  }

  private func rooms(of size: Int, on run: Run) throws -> Load & MessageLoad {
    let target = Load.Target(host: run.site.host, port: run.site.port, path: path, roomSize: size)
    return try BroadcastLoad(target, rooms: rooms, bytes: bytes, isClosedLoop: rate == nil)
  }
}
