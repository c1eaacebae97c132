/// Every setting of the program, with its default. `SettingTable` says how each is named, read and checked.
public struct Configuration: Sendable, Equatable {
  public enum LogFormat: String, Sendable, CaseIterable { case text, json }
  public enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }
  public enum Switch: String, Sendable, CaseIterable { case on, off }

  // Where it listens and what it keeps.
  /// An IPv4 or IPv6 address in its literal form.
  public var host = "127.0.0.1"
  public var port: UInt16 = 8080
  public var data = "./data"
  /// nil: the key file inside `data`.
  public var jwtKey: String?
  public var pidFile: String?
  /// Both or none: a certificate with its chain, and its key, PEM.
  public var tlsCert: String?
  public var tlsKey: String?

  // Who may do what.
  public var accessTTL = Duration.seconds(15 * 60)
  public var refreshTTL = Duration.seconds(30 * 86_400)
  /// Serialised origins (RFC 6454 §6.2) whose pages may open WebSockets, besides the server's own.
  public var allowOrigin: [String] = []
  public var rateLimit = Switch.on
  /// Messages a second that one user may send.
  public var sendRate = 500
  /// The scrypt cost N of new password hashes; memory is 1 KiB times this.
  public var scryptN = 131_072

  // Time-outs.
  public var headerTimeout = Duration.seconds(10)
  public var bodyTimeout = Duration.seconds(30)
  public var idleTimeout = Duration.seconds(75)
  public var sendTimeout = Duration.seconds(30)
  public var heartbeat = Duration.seconds(30)
  public var drain = Duration.seconds(10)

  // Limits, in bytes but for the first two.
  public var maxConnections = 1_000_000
  /// Up to so many connections, new WebSockets may compress.
  public var deflateConnections = 1_000
  public var maxHeader = 16 << 10
  public var maxBody = 1 << 20
  /// A body of measurements.
  public var maxMeasurements = 8 << 20
  public var maxMessage = 64 << 10
  public var sendBuffer = 1 << 20

  // Logs.
  public var logLevel = LogLevel.info
  public var logFormat = LogFormat.text

  /// All defaults.
  public init() {}
}

extension Configuration {
  /// Reads all settings: flags before the environment before the config file before the defaults.
  /// - Parameters:
  ///   - flags: what `SettingFlags` found on the command line.
  ///   - environment: the process's environment.
  /// - Throws: `ConfigurationError` for the first setting that is wrong.
  public init(flags: SettingFlags, environment: [String: String]) throws(ConfigurationError) {
    self.init()
    let layers = try SettingLayers(flags: flags, environment: environment)
    for setting in SettingTable.all {
      guard let found = layers.value(of: setting) else { continue }
      guard setting.apply(&self, found.text) else { throw .wrongValue(found, setting) }
    }
  }
}
