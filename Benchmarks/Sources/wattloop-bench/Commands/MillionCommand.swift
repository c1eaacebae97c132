import ArgumentParser

struct MillionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "million", abstract: "A mass of authenticated connections, and messages among some of them.",
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

  @OptionGroup var options: RunOptions
  @Option(help: "How many connections.") var clients = 1_000_000
  @Option(help: "How many pairs write.") var pairs = 1000
  @Option(help: "Messages a second of all of them together.") var rate = 1000.0
  @Option(help: "The length of a text.") var bytes = 200
  @Option(help: "How long they write.") var seconds = 60.0
  @Option(help: "How long nobody writes before.") var idle = 10.0
  @Option(help: "Handshakes under way: a listener's queue is bounded.") var window = 512

  func validate() throws {
    guard options.port == nil || options.serverPid != nil else {
      throw ValidationError("--server-pid is needed")
    }
    guard options.host.hasPrefix("127.") else {
      throw ValidationError("--host must be a loopback address")
    }
    guard pairs > 0, 20 * pairs <= clients, clients <= 1_000_000 else {
      throw ValidationError("--clients must be up to 1000000, and twenty times as many as --pairs")
    }
    guard rate > 0, bytes >= SendTemplate.leastText, seconds > 0, idle >= 0, window > 0 else {
      throw ValidationError("numbers must be positive, --bytes at least \(SendTemplate.leastText)")
    }
  }

  /// Bytes at a number of connections.
  private struct Memory {
    let server: Int
    let kernel: Int
  }

  func run() throws { try Run.perform(options) { [try measure(on: $0)] } }

  private func measure(on run: Run) throws -> Report {
    run.timeline.speakInPipes()
    let load = try prepare(run)
    let part = clients / 10
    try load.open(part, window: window)
    let first = try memory(run, load)
    let opening = try Stopwatch(run.site)
    try load.open(clients, window: window)
    let opened = try opening.read()
    let second = try memory(run, load)

    run.timeline.begin("nobody writes", seconds: idle)
    let resting = try Stopwatch(run.site)
    load.run(until: Clock.after(idle))
    let rested = try resting.read()
    run.timeline.begin("chatting", seconds: seconds)
    let chatting = try Stopwatch(run.site)
    try chat(load)
    let chatted = try chatting.read()

    let rest = Double(clients - part)
    var report = Report("million")
    report.add("connections", load.connectionCount)
    report.add("accepts_per_second", rest / opened.elapsed, digits: 0)
    if let cpu = opened.server { report.add("server_cpu_us_per_accept", cpu / rest) }
    report.add("bytes_per_connection", Double(second.server - first.server) / rest)
    report.add("kernel_bytes_per_connection", Double(second.kernel - first.kernel) / rest / 2)
    report.add("server_bytes", second.server)
    report.add("kernel_bytes", second.kernel)
    if let cpu = rested.server { report.add("idle_cpu_percent", cpu / rested.elapsed / 10_000, digits: 2) }
    report.add("acknowledged", load.counts.acknowledged)
    report.add("delivered", load.counts.delivered)
    if let cpu = chatted.server {
      report.add("server_cpu_us_per_message", cpu / Double(max(1, load.counts.sent)))
    }
    report.add("client_share", chatted.clientShare, digits: 2)
    load.addLatencies(to: &report)
    load.addCounts(to: &report)
    report.add("errors", load.errorCount)
    return report
  }

  private func prepare(_ run: Run) throws -> ChatLoad {
    let accounts = try run.accounts(clients)
    run.timeline.begin("making conversations")
    let spacing = clients / (2 * pairs)
    let writers = (0..<2 * pairs).map { accounts[$0 * spacing] }
    let conversations = try Conversations.direct(writers, at: run.site).map(\.id)
    let load = try ChatLoad(
      .chat(run.site, accounts), conversations: conversations, spacing: spacing, textBytes: bytes,
      isClosedLoop: false)
    load.timeline = run.timeline
    return load
  }

  private func memory(_ run: Run, _ load: ChatLoad) throws -> Memory {
    load.run(until: Clock.after(Self.settling))
    return Memory(
      server: try run.site.serverPid.map { try ServerProcess(pid: $0).privateBytes() } ?? 0,
      kernel: try KernelMemory.slabBytes())
  }

  private func chat(_ load: ChatLoad) throws {
    let pace = try Pace(perSecond: rate, until: Clock.after(seconds)) { [unowned load] in
      load.sendNext(intended: $0)
    }
    try pace.start(on: load.loop)
    load.run(until: Clock.after(seconds))
    load.run(until: Clock.after(Self.patience), or: { load.isComplete })
    // A double may still come.
    load.run(until: Clock.after(1))
  }
}
