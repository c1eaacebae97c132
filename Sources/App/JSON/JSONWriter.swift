/// Writes JSON into one buffer that is used again and again.
///
/// The hand-written counterpart of `JSONReader`, for what leaves in a chat frame or in a page of messages.
struct JSONWriter {
  var bytes: [UInt8] = []

  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  /// Punctuation and member names, as they are.
  @inline(__always)
  mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func raw(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  mutating func integer(_ value: Int64) {
    appendDecimal(value, to: &bytes)
  }

  mutating func kilowattHours(_ energy: MicrowattHours) { energy.appendKilowattHours(to: &bytes) }

  /// A finite number, in the shortest digits that are read back as the same.
  mutating func double(_ value: Double) {
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return integer(whole) }
    bytes.append(contentsOf: value.description.utf8)
  }

  mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
  }

  /// A quoted string of valid UTF-8. Runs without an escape are copied as a whole.
  mutating func string(_ text: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for at in 0..<text.count where Self.mustEscape(text[at]) {
      bytes.append(contentsOf: text[start..<at])
      escape(text[at])
      start = at + 1
    }
    bytes.append(contentsOf: text[start...])
    bytes.append(UInt8(ascii: "\""))
  }

  /// Content that is escaped already, as it came in a checked frame.
  mutating func quoted(_ content: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: content)
    bytes.append(UInt8(ascii: "\""))
  }

  @inline(__always)
  private static func mustEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): raw("\\\"")
    case UInt8(ascii: "\\"): raw("\\\\")
    case 0x0A: raw("\\n")
    case 0x0D: raw("\\r")
    case 0x09: raw("\\t")
    default:
      raw("\\u00")
      bytes.append(Self.hex(byte >> 4))
      bytes.append(Self.hex(byte & 15))
    }
  }

  private static func hex(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }
}
