import Glibc

/// Reads a message from its front, in the order in which the server writes its fields: a parser would take more time than
/// the server's work. What stands elsewhere is not understood, and then the load says so.
struct Scan {
  private var next: UnsafeRawPointer
  private let end: UnsafeRawPointer

  init(_ bytes: UnsafeRawBufferPointer) {
    next = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
    end = next + bytes.count
  }

  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: next, count: end - next) }

  /// True if that text is next, and then it is read.
  @inline(__always)
  mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard end - next >= count, memcmp(next, text.utf8Start, count) == 0 else { return false }
    next += count
    return true
  }

  /// Reads what is left of a string that has no escapes, and the quote behind it.
  @inline(__always)
  mutating func string() -> UnsafeRawBufferPointer? {
    guard let quote = memchr(next, Int32(UInt8(ascii: "\"")), end - next) else { return nil }
    let text = UnsafeRawBufferPointer(start: next, count: UnsafeRawPointer(quote) - next)
    next = UnsafeRawPointer(quote) + 1
    return text
  }

  @inline(__always)
  mutating func number() -> Int? {
    let start = next
    var value = 0
    while next < end, case let digit = next.load(as: UInt8.self) &- UInt8(ascii: "0"), digit < 10 {
      value = value &* 10 &+ Int(digit)
      next += 1
    }
    return next > start ? value : nil
  }
}
