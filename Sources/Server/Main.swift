import App
import ArgumentParser
import Foundation

/// Takes the settings out of the arguments, lets the command read the rest, and turns every error into one
/// line and an exit code.
@main
enum Main {
  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      Terminal.error("wattloop: \(error.message)")
      exit(error.code)
    }
  }

  private static func run(_ arguments: [String]) throws(ExitFailure) {
    var arguments = arguments
    do {
      let flags = try SettingFlags(extractingFrom: &arguments)
      var command = try Wattloop.parseAsRoot(arguments)
      if let command = command as? any ConfiguredCommand {
        try command.run(Configuration(flags: flags, environment: ProcessInfo.processInfo.environment))
      } else {
        try command.run()
      }
    } catch let error as ExitFailure {
      throw error
    } catch {
      try finish(error)
    }
  }

  /// `--help` and `--version` arrive as errors that mean success.
  private static func finish(_ error: any Error) throws(ExitFailure) {
    if Wattloop.exitCode(for: error) == .success {
      print(Wattloop.fullMessage(for: error))
    } else if Wattloop.exitCode(for: error) == .validationFailure {
      throw .usage(Wattloop.message(for: error).replacingOccurrences(of: "\n", with: " "))
    } else {
      throw ExitFailure(error)
    }
  }
}
