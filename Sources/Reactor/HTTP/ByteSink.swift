/// Where encoders write: a connection's send buffer, an array in a test. Encoders are generic over it, so
/// that inside the module each is compiled for its sink and an append is a plain call.
protocol ByteSink {
  mutating func append(_ bytes: UnsafeRawBufferPointer)
}

extension ByteSink {
  @inline(__always)
  mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Native strings are contiguous UTF-8: nothing is copied on the way.
  @inline(__always)
  mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// The number in decimal digits, without a detour over a string.
  mutating func append(decimal number: Int) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var rest = number.magnitude
    var start = digits.count
    repeat {
      start -= 1
      digits[start] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
      rest /= 10
    } while rest > 0
    if number < 0 {
      start -= 1
      digits[start] = UInt8(ascii: "-")
    }
    digits.span.bytes.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }

  /// A number that is not negative, in hexadecimal digits.
  mutating func append(hexadecimal number: Int) {
    var digits = InlineArray<16, UInt8>(repeating: 0)
    var rest = number.magnitude
    var start = digits.count
    repeat {
      start -= 1
      let digit = UInt8(truncatingIfNeeded: rest & 15)
      digits[start] = digit < 10 ? digit + 0x30 : digit + 0x57
      rest >>= 4
    } while rest > 0
    digits.span.bytes.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }
}

extension Array: ByteSink where Element == UInt8 {
  mutating func append(_ bytes: UnsafeRawBufferPointer) { append(contentsOf: bytes) }
}
