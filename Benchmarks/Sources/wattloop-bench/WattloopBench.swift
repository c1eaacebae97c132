import ArgumentParser
import Glibc

/// The load client. One thread, on the reactor's own loop.
@main
struct WattloopBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wattloop-bench", abstract: "Puts load on a running server and measures it.",
    subcommands: [
      EchoCommand.self, BroadcastCommand.self, MemoryCommand.self, MillionCommand.self, ChatCommand.self,
      FanoutCommand.self,
      ReconnectCommand.self,
      RestCommand.self, IngestCommand.self, ConsumptionCommand.self,
    ])
}

/// What all loads have in common.
struct CommonOptions: ParsableArguments {
  @Option(help: "The server's port.") var port: UInt16
  @Option(help: "The server's address.") var host = "127.0.0.1"
  @Option(help: "The server's process, for its CPU time or memory.") var serverPid: Int?
  @Flag(help: "Print one line of JSON; the line for people goes to standard error.") var json = false
}

/// The load failed, in one line.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

enum Descriptors {
  /// No descriptor is as great.
  static var limit: Int32 {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int32(clamping: limit.rlim_cur)
  }

  static func raiseLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

enum Priority {
  /// Lets the program's other threads go before this one.
  static func lower() { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 2) }
}
