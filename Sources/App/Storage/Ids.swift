/// Ids as clients see them: opaque strings, made of a letter for the kind and the number of the row, such as
/// `u12`.
///
/// The helpers work on bytes, because ids are written and read once for every chat frame.
public enum EntityID: UInt8, Sendable {
  case user = 0x75  // u
  case conversation = 0x63  // c
  case device = 0x64  // d
  case deviceKey = 0x6B  // k
  case reset = 0x72  // r
  case alert = 0x61  // a
  case session = 0x73  // s

  /// Adds the id's text to a buffer. `number` is not negative.
  public func append(_ number: Int64, to bytes: inout [UInt8]) {
    bytes.append(rawValue)
    appendDecimal(number, to: &bytes)
  }

  public func text(_ number: Int64) -> String { "\(Character(Unicode.Scalar(rawValue)))\(number)" }

  /// The number of an id of this kind; nil for anything that `append` would not have written.
  public func parse(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    // 19 digits hold every positive Int64; no zero in front of others, so that an object has one name only.
    guard bytes.count >= 2, bytes.count <= 20, bytes[0] == rawValue,
      bytes[1] != UInt8(ascii: "0") || bytes.count == 2
    else { return nil }
    var number: Int64 = 0
    for byte in bytes.dropFirst() {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
      if overflow || carry { return nil }
      number = sum
    }
    return number
  }

  public func parse(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
  }
}

/// Adds a number's decimal digits to a buffer without making a `String`.
public func appendDecimal(_ number: Int64, to bytes: inout [UInt8]) {
  if number < 0 { bytes.append(UInt8(ascii: "-")) }
  var left = number.magnitude
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
    var start = 20
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(left % 10)
      left /= 10
    } while left > 0
    bytes.append(contentsOf: digits[start...])
  }
}
