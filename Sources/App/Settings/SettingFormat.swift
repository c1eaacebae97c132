import Glibc

/// How a setting's text becomes its value, and what an error says was expected.
struct SettingFormat<Value: Sendable>: Sendable {
  let placeholder: String
  let expects: String
  let parse: @Sendable (String) -> Value?
  let text: @Sendable (Value) -> String
}

extension SettingFormat where Value == String {
  static func path() -> SettingFormat {
    SettingFormat(placeholder: "PATH", expects: "a path", parse: { $0.isEmpty ? nil : $0 }, text: { $0 })
  }

  static func address() -> SettingFormat {
    SettingFormat(
      placeholder: "ADDRESS", expects: "an IPv4 or IPv6 address", parse: addressLiteral, text: { $0 })
  }

  private static func addressLiteral(_ text: String) -> String? {
    if text == "localhost" { return "127.0.0.1" }
    var storage = in6_addr()
    let valid = inet_pton(AF_INET, text, &storage) == 1 || inet_pton(AF_INET6, text, &storage) == 1
    return valid ? text : nil
  }
}

extension SettingFormat where Value == String? {
  /// A path that may be left out; `unset` names what happens then.
  static func path(unset: String) -> SettingFormat {
    SettingFormat(
      placeholder: "PATH", expects: "a path", parse: { $0.isEmpty ? nil : .some($0) }, text: { $0 ?? unset })
  }
}

extension SettingFormat where Value: FixedWidthInteger {
  static func number(_ range: ClosedRange<Value>) -> SettingFormat {
    SettingFormat(
      placeholder: "N", expects: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      parse: { text in unsigned(text, as: Value.self).flatMap { range.contains($0) ? $0 : nil } },
      text: { "\($0)" })
  }
}

extension SettingFormat where Value == Int {
  static func powerOfTwo(_ range: ClosedRange<Int>) -> SettingFormat {
    SettingFormat(
      placeholder: "N", expects: "a power of two from \(range.lowerBound) to \(range.upperBound)",
      parse: { text in
        unsigned(text, as: Int.self).flatMap { range.contains($0) && $0.nonzeroBitCount == 1 ? $0 : nil }
      },
      text: { "\($0)" })
  }

  static func size(_ range: ClosedRange<Int>) -> SettingFormat {
    SettingFormat(
      placeholder: "SIZE",
      expects: "a size such as 16KiB from \(ByteSize.text(range.lowerBound))"
        + " to \(ByteSize.text(range.upperBound))",
      parse: { text in ByteSize.parse(text).flatMap { range.contains($0) ? $0 : nil } },
      text: ByteSize.text)
  }
}

extension SettingFormat where Value == Duration {
  static func duration(_ range: ClosedRange<Duration>) -> SettingFormat {
    SettingFormat(
      placeholder: "TIME",
      expects: "a duration such as 10s from \(TimeSpan.text(range.lowerBound))"
        + " to \(TimeSpan.text(range.upperBound))",
      parse: { text in TimeSpan.parse(text).flatMap { range.contains($0) ? $0 : nil } },
      text: TimeSpan.text)
  }
}

extension SettingFormat where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  static func choice() -> SettingFormat {
    let names = Value.allCases.map(\.rawValue)
    return SettingFormat(
      placeholder: names.joined(separator: "|"), expects: "one of \(names.joined(separator: ", "))",
      parse: { Value(rawValue: $0) }, text: { $0.rawValue })
  }
}

extension SettingFormat where Value == [String] {
  /// Origins, with commas between them.
  static func origins() -> SettingFormat {
    SettingFormat(
      placeholder: "ORIGIN,…", expects: "a list of origins such as https://app.example:8443",
      parse: { text in
        let parts = text.split { $0 == "," || $0 == " " }.map { Origin.normalized($0) }
        return parts.contains(nil) ? nil : parts.compactMap { $0 }
      },
      text: { $0.isEmpty ? "none" : $0.joined(separator: ",") })
  }
}

/// Digits only: `Int("+1")` would be taken otherwise.
func unsigned<Value: FixedWidthInteger>(_ text: some StringProtocol, as: Value.Type) -> Value? {
  guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
  return Value(text)
}
