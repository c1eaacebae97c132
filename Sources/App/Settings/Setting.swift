/// One row of the table: how a setting is named, explained, read and checked.
struct Setting: Sendable {
  /// The flag without its dashes; also the key in a config file.
  let name: String
  let placeholder: String
  let help: String
  /// For the error line: "… is not `expects`".
  let expects: String
  let defaultText: String
  /// Given several times on the command line it adds up, where other settings keep the last value.
  let isList: Bool
  /// Stores the parsed text; false if the text is wrong.
  let apply: @Sendable (inout Configuration, String) -> Bool

  init<Value: Sendable>(
    _ name: String, _ property: WritableKeyPath<Configuration, Value> & Sendable,
    _ format: SettingFormat<Value>, _ help: String
  ) {
    self.name = name
    self.help = help
    placeholder = format.placeholder
    expects = format.expects
    defaultText = format.text(Configuration()[keyPath: property])
    isList = Value.self == [String].self
    apply = { configuration, text in
      guard let value = format.parse(text) else { return false }
      configuration[keyPath: property] = value
      return true
    }
  }
}
