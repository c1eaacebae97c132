import Foundation

@testable import App
@testable import Reactor

/// The JSON reader, with Foundation as the judge: what one takes the other takes, and both read the same from it. And
/// the chat's frames are read from any bytes.
enum JSONTarget: FuzzTarget {
  static func run(_ bytes: UnsafeRawBufferPointer) {
    let text = [UInt8](bytes)
    let isTaken = (try? JSONReader.check(text)) != nil
    let judged = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
    if isTaken { precondition(judged != nil || hasHugeNumber(text), "Foundation does not take this") }
    if judged != nil { precondition(isTaken || isRefusedByChoice(text), "Foundation takes this") }
    withExactCopy(bytes) { copy in
      let copy = UnsafeRawBufferPointer(copy)
      _ = try? ChatRequest(copy)
      if isTaken, let object = judged as? [String: Any] { compare(copy, object) }
    }
    comeBack(text)
  }

  // MARK: Where the two may differ

  /// Foundation takes no number beyond a Double's.
  private static func hasHugeNumber(_ text: [UInt8]) -> Bool {
    var digits = 0
    for byte in text {
      if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { return true }
      digits = (0x30...0x39).contains(byte) ? digits + 1 : 0
      if digits > 300 { return true }
    }
    return false
  }

  /// Foundation goes deeper; it takes a comma before a closing bracket; and it guesses UTF-16, UTF-32 and byte order
  /// marks, which RFC 8259 §8.1 rules out.
  private static func isRefusedByChoice(_ text: [UInt8]) -> Bool {
    let depth = text.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
    let marks: [[UInt8]] = [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]]
    return depth >= 32 || text.contains(0) || marks.contains { text.starts(with: $0) } || endsInComma(text)
  }

  private static func endsInComma(_ text: [UInt8]) -> Bool {
    var previous: UInt8 = 0
    for byte in text where ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
      if previous == UInt8(ascii: ","), byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { return true }
      previous = byte
    }
    return false
  }

  // MARK: What they read

  private static func compare(_ text: UnsafeRawBufferPointer, _ object: [String: Any]) {
    var names: Set<String> = []
    var members: [(String, Any?, JSONReader.Value)] = []
    var isUnique = true
    var reader = JSONReader(text)
    do throws(JSONReader.Failure) {
      try reader.readObject { (name, value) throws(JSONReader.Failure) in
        let name = unescaped(name)
        isUnique = names.insert(name).inserted && isUnique
        members.append((name, object[name], value))
      }
    } catch {
      preconditionFailure("the checked text is not read")
    }
    // Of two members with one name (canonically equal is one name to a String), Foundation keeps either.
    guard isUnique, names.count == object.count else { return }
    for (name, judged, value) in members { compare(name, value, judged) }
  }

  private static func compare(_ name: String, _ value: JSONReader.Value, _ judged: Any?) {
    switch value {
    case .string(let content, let hasEscapes):
      precondition(hasEscapes == content.contains(UInt8(ascii: "\\")))
      precondition((judged as? String).map { Array($0.utf8) } == Array(unescaped(content).utf8), name)
    case .integer(let number): precondition((judged as? NSNumber)?.int64Value == number, name)
    case .decimal(let bytes):
      precondition(judged is NSNumber, name)
      guard let number = DecimalNumber.parse(bytes) else { return precondition(bytes.count > 64) }
      // Foundation rounds a number of many digits twice.
      precondition(Double(String(decoding: bytes, as: UTF8.self)) == number, name)
    case .bool(let flag): precondition(judged as? Bool == flag, name)
    case .null: precondition(judged is NSNull, name)
    case .other: precondition(judged is [Any] || judged is [String: Any], name)
    }
  }

  private static func unescaped(_ content: UnsafeRawBufferPointer) -> String {
    var bytes: [UInt8] = []
    JSONString.unescape(content, into: &bytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      preconditionFailure("a string without its escapes is not UTF-8")
    }
    return text
  }

  /// The bytes as a text: what the writer writes is read back.
  private static func comeBack(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    var writer = JSONWriter()
    writer.string(text)
    precondition((try? JSONReader.check(writer.bytes)) != nil, "what was written is not read back")
    writer.bytes.withUnsafeBytes { quoted in
      let content = UnsafeRawBufferPointer(rebasing: quoted[1..<(quoted.count - 1)])
      precondition(Array(unescaped(content).utf8) == bytes, "what was written comes back changed")
    }
  }
}
