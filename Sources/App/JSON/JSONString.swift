/// The escapes of JSON strings (RFC 8259 §7).
enum JSONString {
  static func isHighSurrogate(_ unit: UInt16) -> Bool { unit & 0xFC00 == 0xD800 }
  static func isLowSurrogate(_ unit: UInt16) -> Bool { unit & 0xFC00 == 0xDC00 }

  /// The UTF-16 unit of four hexadecimal digits.
  static func hexUnit(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt16? {
    var unit: UInt16 = 0
    for offset in 0..<4 {
      guard let digit = hexDigit(bytes[start + offset]) else { return nil }
      unit = unit << 4 | digit
    }
    return unit
  }

  private static func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// Appends a string's content without its escapes. The content has been checked by `JSONReader`.
  static func unescape(_ content: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
    var at = 0
    while at < content.count {
      guard content[at] == UInt8(ascii: "\\") else {
        bytes.append(content[at])
        at += 1
        continue
      }
      switch content[at + 1] {
      case UInt8(ascii: "u"):
        at += appendUnit(content, at, into: &bytes)
        continue
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0C)
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case let other: bytes.append(other)
      }
      at += 2
    }
  }

  /// Appends the character of `\uXXXX`, or of a pair of them; returns the length of what it took.
  private static func appendUnit(_ content: UnsafeRawBufferPointer, _ at: Int, into bytes: inout [UInt8])
    -> Int
  {
    guard let first = hexUnit(content, at + 2) else { return 2 }
    if isHighSurrogate(first), at + 12 <= content.count, let second = hexUnit(content, at + 8) {
      let code = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF))
      append(code, to: &bytes)
      return 12
    }
    append(UInt32(first), to: &bytes)
    return 6
  }

  private static func append(_ code: UInt32, to bytes: inout [UInt8]) {
    guard let scalar = Unicode.Scalar(code) else { return }
    if let encoded = UTF8.encode(scalar) { bytes.append(contentsOf: encoded) }
  }
}
