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

  func run() throws { try Run.perform(options) { [try measure(on: $0)] } }

  private func measure(on run: Run) throws -> Report {
    run.timeline.speakInPipes()
    let load = try prepare(run)
    let slope = try ConnectionSlope(
      of: load, from: clients / 10, to: clients, window: window, settle: Self.settling, on: run)
    run.timeline.begin("nobody writes", seconds: idle)
    let resting = try Stopwatch(run.site)
    load.run(until: Clock.after(idle))
    let rested = try resting.read()

    var report = try load.measure("million", LoadPlan(rate: rate, warmup: 0, seconds: seconds), on: run)
    slope.add(to: &report)
    if let cpu = rested.server {
      report.add("idle_server_cpu_percent", cpu / rested.elapsed / 10_000, digits: 2)
    }
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
}
