/// The settings among the command line's arguments.
///
/// They are taken out before the commands see their own arguments: every command knows the same settings, in
/// any place.
public struct SettingFlags: Sendable {
  private(set) var values: [String: String] = [:]

  public init() {}

  /// Takes all settings out of the arguments, which keep the rest in order. What follows `--` is left alone.
  public init(extractingFrom arguments: inout [String]) throws(ConfigurationError) {
    var rest: [String] = []
    var left = arguments[...]
    while let argument = left.popFirst() {
      if argument == "--" {
        rest.append(argument)
        rest.append(contentsOf: left)
        break
      }
      guard let (name, inline) = Self.settingName(argument) else {
        rest.append(argument)
        continue
      }
      guard let value = inline ?? left.popFirst() else { throw .flagWithoutValue(name) }
      add(value, to: name)
    }
    arguments = rest
  }

  /// `--name` or `--name=value`, if there is such a setting.
  private static func settingName(_ argument: String) -> (name: String, value: String?)? {
    guard argument.hasPrefix("--") else { return nil }
    let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, first == "config" || SettingTable.setting(named: first) != nil else {
      return nil
    }
    return (String(first), parts.count > 1 ? String(parts[1]) : nil)
  }

  private mutating func add(_ value: String, to name: String) {
    if let present = values[name], SettingTable.setting(named: name)?.isList == true {
      values[name] = present + "," + value
    } else {
      values[name] = value
    }
  }
}
