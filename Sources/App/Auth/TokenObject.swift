/// The JSON object that is a token's header or its claims (RFC 7515 §4, RFC 7519 §4): its members by name, with what a token can
/// have as a value.
///
/// Read by `JSONReader`: when 18,000 clients come back at once, Foundation's decoder takes a seventh of the time.
struct TokenObject {
  private enum Value {
    case text(String)
    case number(Double)
    case integer(Int64)
    case texts([String])
    case null
    case other
  }

  private var members: [String: Value] = [:]

  /// Nil for what is no JSON object in UTF-8, or has a name twice (RFC 7515 §4 and RFC 7519 §4 let one refuse that).
  init?(_ json: [UInt8]) {
    guard String(validating: json, as: UTF8.self) != nil else { return nil }
    var members: [String: Value] = [:]
    var isUnique = true
    let isObject = json.withUnsafeBytes { json in
      do throws(JSONReader.Failure) {
        var reader = JSONReader(json)
        try reader.readObject { (name, value) throws(JSONReader.Failure) in
          let hasEscapes = name.contains(UInt8(ascii: "\\"))
          let name = Self.text(name, hasEscapes: hasEscapes)
          isUnique = members.updateValue(try Self.value(value), forKey: name) == nil && isUnique
        }
        return true
      } catch {
        return false
      }
    }
    guard isObject, isUnique else { return nil }
    self.members = members
  }

  private static func value(_ value: JSONReader.Value) throws(JSONReader.Failure) -> Value {
    switch value {
    case .string(let content, let hasEscapes): .text(text(content, hasEscapes: hasEscapes))
    case .integer(let number): .integer(number)
    case .decimal(let bytes): DecimalNumber.parse(bytes).map(Value.number) ?? .other
    case .null: .null
    case .bool: .other
    case .other(let bytes): try texts(bytes).map(Value.texts) ?? .other
    }
  }

  /// The elements of an array that has nothing but strings.
  private static func texts(_ bytes: UnsafeRawBufferPointer) throws(JSONReader.Failure) -> [String]? {
    var reader = JSONReader(bytes)
    guard reader.nextKind() == .array else { return nil }
    var texts: [String]? = []
    try reader.readElements { (reader) throws(JSONReader.Failure) in
      if case .string(let content, let hasEscapes) = try reader.readValue() {
        texts?.append(text(content, hasEscapes: hasEscapes))
      } else {
        texts = nil
      }
    }
    return texts
  }

  private static func text(_ content: UnsafeRawBufferPointer, hasEscapes: Bool) -> String {
    guard hasEscapes else { return String(decoding: content, as: UTF8.self) }
    var bytes: [UInt8] = []
    JSONString.unescape(content, into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension TokenObject {
  /// A member is there, but is not of the kind that it must be.
  struct WrongKind: Error {}

  /// Whether there is such a member, whatever its value.
  func has(_ name: String) -> Bool { members[name] != nil }

  /// Nil if it is not there, or null.
  func text(_ name: String) throws(WrongKind) -> String? {
    switch members[name] {
    case .text(let text): text
    case nil, .null: nil
    default: throw WrongKind()
    }
  }

  func integer(_ name: String) throws(WrongKind) -> Int64? {
    switch members[name] {
    case .integer(let number): number
    case nil, .null: nil
    default: throw WrongKind()
    }
  }

  /// One text, or a list of them.
  func texts(_ name: String) throws(WrongKind) -> [String] {
    switch members[name] {
    case .text(let text): [text]
    case .texts(let texts): texts
    case nil, .null: []
    default: throw WrongKind()
    }
  }

  /// Whole seconds of a NumericDate, which may have a fraction (RFC 7519 §2), in the years that a date can have.
  func date(_ name: String) throws(WrongKind) -> Int64? {
    let years: ClosedRange<Double> = 0...253_402_300_799
    switch members[name] {
    case .integer(let seconds) where years ~= Double(seconds): return seconds
    case .number(let seconds) where years ~= seconds: return Int64(seconds)
    case nil, .null: return nil
    default: throw WrongKind()
    }
  }
}
