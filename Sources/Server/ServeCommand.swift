import App
import ArgumentParser
import Foundation

/// `wattloop serve`
struct ServeCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the server.", discussion: SettingTable.helpText)

  @Flag(help: "Fill an empty store with demo users, devices and readings, and feed its meters.")
  var demo = false

  func run(_ configuration: Configuration) throws {
    let log = Logs.bootstrap(level: configuration.logLevel, format: configuration.logFormat)
    defer { log.close() }
    let tls = try Certificate.load(configuration)
    let store = try Store(directory: configuration.data, for: .serving)
    let key = try SigningKeyFile.load(configuration)
    let passwords = PasswordHasher(n: configuration.scryptN)
    let admin = try createAdmin(in: store, passwords)
    let hasDemo = try demo && fill(store, admin, passwords)
    if let path = configuration.pidFile { try PidFile.write(path) }
    defer { configuration.pidFile.map(PidFile.remove) }
    try App.run(
      configuration, store: store, key: key, passwords: passwords, tls: tls, withDemoMeters: hasDemo)
    try store.close()
  }

  /// Returns the password, if there is one to show.
  private func createAdmin(in store: Store, _ passwords: PasswordHasher) throws -> String? {
    let environment = ProcessInfo.processInfo.environment
    let password = try FirstStart.createAdmin(in: store, passwords: passwords, environment: environment)
    if let password { Terminal.error("created the user 'admin' with the password: \(password)") }
    return password
  }

  /// False if the store is no demo's.
  private func fill(_ store: Store, _ admin: String?, _ passwords: PasswordHasher) throws -> Bool {
    guard let logins = try Demo.fill(store, admin: admin, passwords: passwords) else {
      Terminal.error("--demo: the store has users or devices of its own, and is left as it is")
      return false
    }
    for login in logins { Terminal.error("demo log-in: \(login.username) \(login.password) (\(login.role))") }
    return true
  }
}
