import ArgumentParser

struct ConnectionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connections", abstract: "Many idle connections: how fast they open, and what each costs.",
    discussion: """
      Opens connections up to --to and reads memory at --from and at --to of them: the slope is what a connection costs,
      without what the program costs by itself. Then nothing is sent for --hold seconds. The kernel's memory is that of the whole
      machine, halved where the client is on it too.
      """)

  @OptionGroup var options: RunOptions
  @Option(
    name: .customLong("protocol"), help: "wattloop (each with a user of its own) or echo (plain WebSockets).")
  var kind = BenchProtocol.wattloop
  @Option(help: "With echo: which WebSocket.") var path = "/echo"
  @Option(help: "With wattloop: the users are members of groups of so many; without it, of no conversation.")
  var room: Int?
  @Option(help: "Connections at the first reading.") var from = 1000
  @Option(help: "Connections at the second reading.") var to = 18_000
  @Option(help: "Connections opened a second; without it, as fast as they are taken.") var rate: Double?
  @Option(help: "How long the server is left alone before a reading.") var settle = 1.0
  @Option(help: "How long the connections are held idle.") var hold = 3.0

  func validate() throws {
    guard 0 < from, from < to else { throw ValidationError("--from must be less than --to") }
    guard rate ?? 1 > 0, settle >= 0, hold >= 0 else { throw ValidationError("numbers must be positive") }
    guard room ?? 2 > 1 else { throw ValidationError("--room must be at least 2") }
    guard room == nil || kind == .wattloop else { throw ValidationError("--room needs users of wattloop") }
    guard kind != .http else { throw ValidationError("idle connections are WebSockets: wattloop or echo") }
  }

  func run() throws { try Run.perform(options, needsWattloop: kind == .wattloop) { [try measure(on: $0)] } }

  private func measure(on run: Run) throws -> Report {
    let load = try Load(target(on: run))
    load.timeline = run.timeline
    let slope = try ConnectionSlope(of: load, from: from, to: to, rate: rate, settle: settle, on: run)
    run.timeline.begin("holding", seconds: hold)
    let holding = try Stopwatch(run.site)
    load.run(until: Clock.after(hold))
    let held = try holding.read()

    var report = Report("connections")
    slope.add(to: &report)
    if let cpu = held.server, hold > 0 {
      report.add("idle_server_cpu_percent", cpu / held.elapsed / 10_000, digits: 2)
    }
    report.add("errors", load.closedCount)
    report.require(load.closedCount == 0, "\(load.closedCount) connections were closed")
    return report
  }

  private func target(on run: Run) throws -> Load.Target {
    if kind == .echo { return Load.Target(host: run.site.host, port: run.site.port, path: path) }
    let accounts = try run.accounts(to)
    if let room {
      let members = stride(from: 0, to: to - 1, by: room).map { Array(accounts[$0..<min($0 + room, to)]) }
      _ = try Conversations.groups(members, title: "Idle", at: run.site)
    }
    return .chat(run.site, accounts)
  }
}
