import ArgumentParser

struct MillionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "million",
    abstract: "A mass of authenticated connections, and messages among some of them.",
    discussion: """
      Opens --clients connections, each with a user of its own, and reads memory at a tenth and at all of them: the slope is
      what a connection costs. Then nothing is sent for --idle seconds, and then --rate messages a second, on a schedule, by
      --pairs pairs who are spread among all. Fails unless every message was acknowledged and delivered once. The kernel's
      memory is that of both ends, halved.
      """)

  /// How long the last acknowledgements and deliveries may take.
  private static let patience = 60.0
  /// The server is left alone so long before its memory is read.
  private static let settling = 3.0

  @OptionGroup var common: CommonOptions
  @Option(help: "Lines 'id,username,token' (wattloop user add --load-test N).") var tokens: String
  @Option(help: "How many connections.") var clients = 1_000_000
  @Option(help: "How many pairs write.") var pairs = 1000
  @Option(help: "Messages a second of all of them together.") var rate = 1000.0
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "How long they write.") var seconds = 60.0
  @Option(help: "How long nobody writes before.") var idle = 10.0
  @Option(help: "Handshakes under way: a listener's queue is bounded.") var window = 512

  func validate() throws {
    guard common.serverPid != nil else { throw ValidationError("--server-pid is needed") }
    guard common.host.hasPrefix("127.") else {
      throw ValidationError("--host must be a loopback address")
    }
    guard pairs > 0, 20 * pairs <= clients, clients <= 1_000_000 else {
      throw ValidationError("--clients must be up to 1000000, and twenty times as many as --pairs")
    }
    guard rate > 0, bytes >= 16, seconds > 0, idle >= 0, window > 0 else {
      throw ValidationError("numbers must be positive, --bytes at least 16")
    }
  }

  /// Bytes at a number of connections.
  private struct Memory {
    let server: Int
    let kernel: Int
  }

  func run() throws {
    guard let server = common.serverPid.map(ServerProcess.init) else { return }
    Progress.tell("making \(pairs) conversations")
    let load = try prepare()
    Progress.tell("opening \(clients) connections")
    let part = clients / 10
    try load.open(part, window: window)
    let first = try memory(server, load)
    let opening = try Stopwatch(common)
    try load.open(clients, window: window)
    let opened = try opening.read()
    let second = try memory(server, load)

    Progress.tell("all are open; nobody writes for \(idle) s")
    let resting = try Stopwatch(common)
    load.run(until: Clock.after(idle))
    let rested = try resting.read()
    Progress.tell("\(rate) messages a second for \(seconds) s")
    let chatting = try Stopwatch(common)
    try chat(load)
    let chatted = try chatting.read()

    let rest = Double(clients - part)
    var report = Report("million")
    report.add("connections", load.readyCount - load.closedCount)
    report.add("accepts_per_second", rest / opened.elapsed, digits: 0)
    if let cpu = opened.server { report.add("server_cpu_us_per_accept", cpu / rest) }
    report.add("bytes_per_connection", Double(second.server - first.server) / rest)
    report.add("kernel_bytes_per_connection", Double(second.kernel - first.kernel) / rest / 2)
    report.add("server_bytes", second.server)
    report.add("kernel_bytes", second.kernel)
    if let cpu = rested.server { report.add("idle_cpu_percent", cpu / rested.elapsed / 10_000, digits: 2) }
    report.add("sent", load.counts.sent)
    report.add("acknowledged", load.counts.acknowledged)
    report.add("delivered", load.counts.delivered)
    report.add("missing", 2 * load.counts.sent - load.counts.acknowledged - load.counts.delivered)
    report.add("doubles", load.counts.doubles)
    report.add("errors", load.counts.errors)
    report.add("chat_s", chatted.elapsed)
    if let cpu = chatted.server {
      report.add("server_cpu_us_per_message", cpu / Double(max(1, load.counts.sent)))
    }
    report.add("client_share", chatted.clientShare, digits: 2)
    report.add("ack", load.untilAcknowledged)
    report.add("delivery", load.untilDelivered)
    report.print(json: common.json)
    try check(load)
  }

  private func prepare() throws -> MillionLoad {
    let accounts = try Account.read(tokens, count: clients)
    let talkers = MillionLoad.Talkers(pairs: pairs, among: clients)
    let writers = (0..<talkers.count).map { accounts[talkers.connection(of: $0)] }
    let conversations = try Conversations.direct(writers, at: common).map(\.id)
    return try MillionLoad(
      .chat(common, accounts), talkers, conversations: conversations, textBytes: bytes,
      messageCount: Int(rate * seconds) + 1)
  }

  private func memory(_ server: ServerProcess, _ load: MillionLoad) throws -> Memory {
    load.run(until: Clock.after(Self.settling))
    return Memory(server: try server.privateBytes(), kernel: try KernelMemory.slabBytes())
  }

  private func chat(_ load: MillionLoad) throws {
    let pace = try Pace(perSecond: rate, until: Clock.after(seconds)) { [unowned load] in
      load.sendNext(intended: $0)
    }
    try pace.start(on: load.loop)
    load.run(until: Clock.after(seconds))
    load.run(until: Clock.after(Self.patience), or: { load.isComplete })
    // A double may still come.
    load.run(until: Clock.after(1))
  }

  private func check(_ load: MillionLoad) throws {
    if let error = load.firstError { throw Failure("the server answered \(error)") }
    if load.closedCount > 0 { throw Failure("\(load.closedCount) connections were closed") }
    if !load.isComplete { throw Failure("acknowledgements or deliveries are missing") }
    if load.counts.doubles + load.counts.errors > 0 {
      throw Failure("messages came twice, or where they do not belong")
    }
  }
}
