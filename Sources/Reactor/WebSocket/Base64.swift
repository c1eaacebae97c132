/// Base64 with padding (RFC 4648 §4), as far as the handshake needs it.
enum Base64 {
  static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
    let capacity = (bytes.count + 2) / 3 * 4
    return String(unsafeUninitializedCapacity: capacity) { target in
      for (group, start) in stride(from: 0, to: bytes.count, by: 3).enumerated() {
        encodeGroup(bytes[start..<min(start + 3, bytes.count)], into: target, at: group * 4)
      }
      return capacity
    }
  }

  private static func encodeGroup(
    _ bytes: Slice<UnsafeRawBufferPointer>, into target: UnsafeMutableBufferPointer<UInt8>, at position: Int
  ) {
    var bits: UInt32 = 0
    for (i, byte) in bytes.enumerated() { bits |= UInt32(byte) << (16 - 8 * UInt32(i)) }
    for i in 0..<4 {
      let value = UInt8(bits >> (18 - 6 * UInt32(i)) & 0x3F)
      target.initializeElement(at: position + i, to: i <= bytes.count ? letter(value) : UInt8(ascii: "="))
    }
  }

  private static func letter(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }

  /// The six bits that a letter stands for; nil for any other byte.
  static func value(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
