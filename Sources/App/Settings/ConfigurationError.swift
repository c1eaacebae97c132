/// Why the program cannot run with its settings. The description is one line for the operator.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible {
  case message(String)

  public var description: String {
    switch self {
    case .message(let line): line
    }
  }

  static func wrongValue(_ found: SettingLayers.Found, _ setting: Setting) -> ConfigurationError {
    .message("--\(setting.name) (from \(found.origin)): '\(oneLine(found.text))' is not \(setting.expects)")
  }

  static func flagWithoutValue(_ name: String) -> ConfigurationError { .message("--\(name) needs a value") }

  static func unreadableFile(_ path: String, _ reason: String) -> ConfigurationError {
    .message("--config: '\(oneLine(path))' cannot be read: \(oneLine(reason))")
  }

  static func unknownKey(_ key: String, path: String) -> ConfigurationError {
    .message("--config: '\(oneLine(path))' has an unknown setting '\(oneLine(key))'")
  }

  /// The error is one line whatever the value holds.
  private static func oneLine(_ text: String) -> String {
    String(text.prefix(200).map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } == true ? " " : $0 })
  }
}
