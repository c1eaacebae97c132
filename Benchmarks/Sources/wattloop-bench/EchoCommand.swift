import ArgumentParser

struct EchoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo", abstract: "A closed loop on a WebSocket that echoes: rate, round trips, server CPU.")

  @OptionGroup var common: CommonOptions
  @Option(help: "Where the echo is.") var path = "/echo"
  @Option(help: "How many connections.") var connections = 200
  @Option(help: "Messages under way on each connection.") var depth = 1
  @Option(help: "The length of a message.") var bytes = 64
  @Option(help: "How long it is measured.") var seconds = 5.0
  @Option(help: "How long it runs before.") var warmup = 1.0

  func validate() throws {
    guard connections > 0, depth > 0, bytes >= 0, seconds > 0, warmup >= 0 else {
      throw ValidationError("numbers must be positive")
    }
  }

  func run() throws {
    let load = try EchoLoad(
      Load.Target(host: common.host, port: common.port, path: path), depth: depth, bytes: bytes)
    try load.open(connections)
    load.start()
    load.run(until: Clock.after(warmup))

    let stopwatch = try Stopwatch(common)
    load.resetCounts()
    load.run(until: Clock.after(seconds))
    let time = try stopwatch.read()

    var report = Report("echo")
    report.add("messages_per_second", Double(load.messages) / time.elapsed, digits: 0)
    report.add("round_trip", load.roundTrip)
    if let cpu = time.server {
      report.add("server_cpu_us_per_message", cpu / Double(max(1, load.messages)), digits: 3)
    }
    report.add("client_share", time.clientShare, digits: 2)
    report.print(json: common.json)
    if load.closedCount > 0 || load.wrong > 0 {
      throw Failure("\(load.closedCount) connections were closed, \(load.wrong) answers were wrong")
    }
  }
}
