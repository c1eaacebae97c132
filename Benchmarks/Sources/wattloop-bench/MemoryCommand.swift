import ArgumentParser

struct MemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory", abstract: "The server's private memory for each idle connection.")

  @OptionGroup var common: CommonOptions
  @Option(help: "Which WebSocket.") var path = "/api/v1/ws"
  @Option(help: "Lines 'id,username,token' (wattloop user add --load-test N); without, plain sockets.")
  var tokens: String?
  @Option(help: "Connections at the first reading.") var from = 1000
  @Option(help: "Connections at the second reading.") var to = 18_000
  @Option(help: "How long the server is left alone before a reading.") var settle = 1.0

  func validate() throws {
    guard common.serverPid != nil else { throw ValidationError("--server-pid is needed") }
    guard 0 < from, from < to else { throw ValidationError("--from must be less than --to") }
  }

  func run() throws {
    guard let server = common.serverPid.map(ServerProcess.init) else { return }
    let load = try Load(
      Load.Target(
        host: common.host, port: common.port, path: path, accounts: try tokens.map(Account.read) ?? []))
    let first = try reading(server, load, from)
    let second = try reading(server, load, to)
    var report = Report("memory")
    report.add("bytes_per_connection", Double(second - first) / Double(to - from))
    report.add("from", from)
    report.add("to", to)
    report.add("from_bytes", first)
    report.add("to_bytes", second)
    report.print(json: common.json)
    if load.closedCount > 0 { throw Failure("\(load.closedCount) connections were closed") }
  }

  private func reading(_ server: ServerProcess, _ load: Load, _ count: Int) throws -> Int {
    try load.open(count)
    load.run(until: Clock.after(settle))
    return try server.privateBytes()
  }
}
