import ArgumentParser
import Glibc

/// The load client. One thread, on the reactor's own loop.
@main
struct WattloopBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wattloop-bench", abstract: "Puts load on a running server and measures it.",
    subcommands: [
      ConnectionsCommand.self, LatencyCommand.self, ThroughputCommand.self, FanoutCommand.self,
      RestCommand.self, IngestCommand.self, ConsumptionCommand.self, ReconnectCommand.self, SoakCommand.self,
      MillionCommand.self,
    ])
}

/// The load failed, in one line.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

enum Priority {
  /// Lets the program's other threads go before this one.
  static func lower() { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 2) }
}
