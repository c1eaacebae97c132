import App
import ArgumentParser

/// The `wattloop` command.
struct Wattloop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wattloop",
    abstract: "A chat and energy server.",
    discussion: SettingTable.helpText,
    version: "wattloop \(Version.current)",
    subcommands: [
      ServeCommand.self, UserCommand.self, TokenCommand.self, SimulateCommand.self, CheckCommand.self,
    ])
}

/// A command that works with the program's settings.
protocol ConfiguredCommand: ParsableCommand {
  func run(_ configuration: Configuration) throws
}
