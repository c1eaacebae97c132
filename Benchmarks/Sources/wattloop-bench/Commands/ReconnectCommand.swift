import ArgumentParser

struct ReconnectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconnect",
    abstract: "All clients lose their connections at once and come back with resume.",
    discussion: """
      Rooms of --room clients, who listen, and a sender each. All clients are cut by a reset, every room is sent --missed
      messages, then all connect again at once and resume, while messages go on. A client is live when its resume is
      answered and it has all that it missed. Fails unless everybody got everything once, in ascending position. Healthy
      users chat in pairs all the time; their latency before and during the trouble is told apart.
      """)

  @OptionGroup var options: RunOptions
  @Option(help: "Those who are cut.") var clients = 18_000
  @Option(help: "How many of them share a room.") var room = 100
  @Option(help: "Messages that each room is sent while they are away.") var missed = 10
  @Option(help: "Messages a second in all rooms together while they come back.") var liveRate = 20.0
  @Option(help: "Users who write to the rooms.") var senders = 20
  @Option(help: "Users who go on chatting; even.") var healthy = 100
  @Option(help: "Messages a second of all of those together.") var rate = 500.0
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "Handshakes under way: a listener's queue is bounded.") var window = 2000
  @Option(help: "How long the healthy are measured before the cut.") var seconds = 5.0
  @Option(help: "How long the clients may take until they are live.") var patience = 120.0

  func validate() throws {
    guard clients > 0, room > 0, missed >= 0, liveRate >= 0, senders > 0, rate > 0, bytes >= 16, window > 0
    else { throw ValidationError("numbers must be positive, --bytes at least 16") }
    guard healthy > 0, healthy % 2 == 0 else { throw ValidationError("--healthy must be even") }
    guard options.host.hasPrefix("127.") else {
      throw ValidationError("--host must be a loopback address")
    }
  }

  func run() throws { try Run.perform(options) { [try measure(on: $0)] } }

  private func measure(on run: Run) throws -> Report {
    let accounts = try run.accounts(clients + senders + healthy)
    run.timeline.begin("making conversations")
    let chat = try HealthyChat(
      run.site, Array(accounts[(clients + senders)...]), rate: rate, textBytes: bytes)
    let trouble = try Reconnection(
      run.site, clients: Array(accounts[..<clients]), senders: Array(accounts[clients..<clients + senders]),
      roomSize: room, textBytes: bytes, patience: patience)
    // The healthy clients' thread comes first: their messages are not to wait for this one.
    Priority.lower()
    try trouble.open(run.timeline)
    try trouble.wait(for: "the healthy clients") { try chat.isOpen }

    run.timeline.begin("quiet", seconds: seconds)
    _ = try findings(chat, trouble)
    try trouble.run(seconds)
    let before = try findings(chat, trouble)
    run.timeline.begin("cutting")
    try trouble.cut(missed: missed)
    run.timeline.begin("coming back")
    try trouble.comeBack(window: window, liveRate: liveRate)
    let during = try findings(chat, trouble)
    try trouble.settle()
    chat.end()
    let ending = Result {
      try trouble.wait(for: "the end of the healthy clients' chat") { try chat.hasEnded }
    }

    var report = Report("reconnect \(room)")
    trouble.add(to: &report)
    for (name, found) in [("healthy_before", before), ("healthy_during", during)] {
      report.add(name + "_ack", found.acknowledgement)
      report.add(name + "_acks", found.acknowledged)
    }
    if case .failure(let failure) = ending { report.require(false, "\(failure)") }
    return report
  }

  /// What the healthy clients found since the last time.
  private func findings(_ chat: HealthyChat, _ trouble: Reconnection) throws -> HealthyChat.Findings {
    chat.askForFindings()
    var found: HealthyChat.Findings?
    try trouble.wait(for: "the healthy clients' figures") {
      found = try chat.findings()
      return found != nil
    }
    return found ?? HealthyChat.Findings()
  }
}
