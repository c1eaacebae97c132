import ArgumentParser

struct BroadcastCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "broadcast",
    abstract:
      "Rooms on a plain WebSocket, where each message goes to every member: deliveries a second, server CPU.",
    discussion: "A closed loop. Fails unless every message reached every member of its room once.")

  private static let patience = 15.0

  @OptionGroup var common: CommonOptions
  @Option(help: "Where the rooms are; a number follows.") var path = "/room/"
  @Option(help: "The members of a room.") var room = 100
  @Option(help: "How many rooms.") var rooms = 10
  @Option(help: "Messages under way in each room.") var depth = 8
  @Option(help: "The length of a message.") var bytes = 64
  @Option(help: "How long it is measured.") var seconds = 5.0
  @Option(help: "How long it runs before.") var warmup = 1.0

  func validate() throws {
    guard room > 0, rooms > 0, depth > 0, bytes >= 0, seconds > 0, warmup >= 0 else {
      throw ValidationError("numbers must be positive")
    }
  }

  func run() throws {
    let target = Load.Target(host: common.host, port: common.port, path: path, roomSize: room)
    let load = try BroadcastLoad(target, rooms: rooms, depth: depth, bytes: bytes)
    try load.open(rooms * room)
    load.start()
    load.run(until: Clock.after(warmup))

    let stopwatch = try Stopwatch(common)
    let before = load.deliveries
    load.run(until: Clock.after(seconds))
    let delivered = Double(load.deliveries - before)
    let time = try stopwatch.read()

    load.stopSending()
    load.run(until: Clock.after(Self.patience), or: { load.missing == 0 })
    var report = Report("broadcast \(room)")
    report.add("deliveries_per_second", delivered / time.elapsed, digits: 0)
    if let cpu = time.server { report.add("server_cpu_us_per_delivery", cpu / max(1, delivered), digits: 3) }
    report.add("client_share", time.clientShare, digits: 2)
    report.add("missing_deliveries", load.missing)
    report.print(json: common.json)
    if load.closedCount > 0 || load.wrong > 0 || load.missing > 0 {
      throw Failure(
        "\(load.closedCount) connections were closed, \(load.wrong) messages were wrong, \(load.missing) are missing"
      )
    }
  }
}
