import ArgumentParser

struct ThroughputCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "throughput", abstract: "A closed loop: each answer sends the next message.",
    discussion: """
      How much goes through when the clients are never idle. Latency here is that of a full server: for what users feel
      at a given rate there is 'latency'. Every message must be answered, and with wattloop delivered, once.
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var messages: MessageOptions
  @Option(help: "Messages under way on each connection; with http always one.") var depth = 1

  func validate() throws {
    guard depth > 0 else { throw ValidationError("--depth must be positive") }
  }

  func run() throws {
    try Run.perform(options, needsWattloop: messages.kind != .echo) { run in
      try [
        messages.load(isClosedLoop: true, on: run).measure(
          "throughput \(messages.kind)",
          LoadPlan(depth: depth, warmup: messages.warmup, seconds: messages.seconds), on: run)
      ]
    }
  }
}
