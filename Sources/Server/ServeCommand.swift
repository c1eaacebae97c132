import App
import ArgumentParser
import Foundation

/// `wattloop serve`
struct ServeCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the server.", discussion: SettingTable.helpText)

  func run(_ configuration: Configuration) throws {
    let log = Logs.bootstrap(level: configuration.logLevel, format: configuration.logFormat)
    defer { log.close() }
    let store = try Store(directory: configuration.data, for: .serving)
    let key = try SigningKeyFile.load(configuration)
    let passwords = PasswordHasher(n: configuration.scryptN)
    try createAdmin(in: store, passwords)
    if let path = configuration.pidFile { try PidFile.write(path) }
    defer { configuration.pidFile.map(PidFile.remove) }
    try App.run(configuration, store: store, key: key, passwords: passwords)
    try store.close()
  }

  private func createAdmin(in store: Store, _ passwords: PasswordHasher) throws {
    let environment = ProcessInfo.processInfo.environment
    let password = try FirstStart.createAdmin(in: store, passwords: passwords, environment: environment)
    if let password { Terminal.error("created the user 'admin' with the password: \(password)") }
  }
}
