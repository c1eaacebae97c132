import ArgumentParser

struct LatencyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency", abstract: "An open loop: messages leave on a schedule, whatever the server does.",
    discussion: """
      Latency counts from the time at which a message should have been sent, so that a server that stalls does not hide it
      (no coordinated omission). With wattloop: until the sender has its acknowledgement, after the commit, and until the
      other user has the message. Every message must be answered, and with wattloop delivered, once.
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var messages: MessageOptions
  @Option(help: "Messages a second of all connections together.") var rate = 1000.0

  func validate() throws {
    guard rate > 0 else { throw ValidationError("--rate must be positive") }
  }

  func run() throws {
    try Run.perform(options, needsWattloop: messages.kind != .echo) { run in
      try [
        messages.load(isClosedLoop: false, on: run).measure(
          "latency \(messages.kind)",
          LoadPlan(rate: rate, warmup: messages.warmup, seconds: messages.seconds), on: run)
      ]
    }
  }
}
