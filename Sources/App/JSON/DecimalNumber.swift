import Glibc

/// A decimal number as JSON (RFC 8259 §6) and CSV write it.
enum DecimalNumber {
  private static let longest = 64

  /// nil for what is no number of that form, or is too long to be meant. An exponent beyond a Double's gives infinity.
  static func parse(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard bytes.count > 0, bytes.count <= longest, bytes.allSatisfy(isNumberByte),
      bytes.contains(where: isDigit)
    else { return nil }
    // strtod needs an end. It knows of no locale but "C", since nobody calls setlocale.
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: longest + 1) { text -> Double? in
      for (index, byte) in bytes.enumerated() { text[index] = CChar(bitPattern: byte) }
      text[bytes.count] = 0
      var end: UnsafeMutablePointer<CChar>?
      let number = strtod(text.baseAddress!, &end)
      return end == text.baseAddress! + bytes.count ? number : nil
    }
  }

  /// Keeps what strtod takes beyond decimal numbers away from it: `nan`, `inf`, `0x10`.
  private static func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}
