import ArgumentParser

/// Who sends what, for `latency` and `throughput`.
struct MessageOptions: ParsableArguments {
  @Option(
    name: .customLong("protocol"), help: "wattloop (stored chat), echo (any echoing WebSocket) or http (GET)."
  )
  var kind = BenchProtocol.wattloop
  @Option(help: "Connections; with wattloop as many users in pairs, so an even number.") var connections = 200
  @Option(help: "The length of a message's text.") var bytes = 200
  @Option(help: "Of the WebSocket that echoes (default /echo), or of what is asked for (default /).")
  var path: String?
  @Option(help: "How long it is measured.") var seconds = 10.0
  @Option(help: "How long it runs before.") var warmup = 1.0

  func validate() throws {
    guard connections > 0, bytes >= 0, seconds > 0, warmup >= 0 else {
      throw ValidationError("numbers must be positive")
    }
    guard kind != .wattloop || connections % 2 == 0 && bytes >= SendTemplate.leastText else {
      throw ValidationError("--connections must be even, --bytes at least \(SendTemplate.leastText)")
    }
  }

  /// Opens the connections.
  func load(isClosedLoop: Bool, on run: Run) throws -> any MessageLoad {
    switch kind {
    case .wattloop:
      let users = try run.accounts(connections)
      let conversations = try Conversations.direct(users, at: run.site).map(\.id)
      let load = try ChatLoad(
        .chat(run.site, users), conversations: conversations, textBytes: bytes, isClosedLoop: isClosedLoop)
      load.timeline = run.timeline
      try load.open(connections)
      return load
    case .echo:
      let target = Load.Target(host: run.site.host, port: run.site.port, path: path ?? "/echo")
      let load = try EchoLoad(target, bytes: bytes, isClosedLoop: isClosedLoop)
      load.timeline = run.timeline
      try load.open(connections)
      return load
    case .http:
      let load = try RequestLoad(
        run.site, path: path ?? "/", token: run.token(), connections: connections, isClosedLoop: isClosedLoop)
      load.timeline = run.timeline
      return load
    }
  }
}
