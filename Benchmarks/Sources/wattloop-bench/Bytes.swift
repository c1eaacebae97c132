import Glibc

// Messages are looked at and not parsed: a JSON parser would take more time than the server's work.
extension UnsafeRawBufferPointer {
  func starts(with text: StaticString) -> Bool { holds(text, at: 0) }

  /// The decimal number behind the first occurrence of that text.
  func number(after text: StaticString) -> Int? {
    var start = 0
    while let found = offset(of: text.utf8Start[0], from: start) {
      if holds(text, at: found) { return number(at: found + text.utf8CodeUnitCount) }
      start = found + 1
    }
    return nil
  }

  private func holds(_ text: StaticString, at offset: Int) -> Bool {
    guard let baseAddress, count - offset >= text.utf8CodeUnitCount else { return false }
    return memcmp(baseAddress + offset, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  private func offset(of byte: UInt8, from start: Int) -> Int? {
    guard let baseAddress, start < count else { return nil }
    return memchr(baseAddress + start, Int32(byte), count - start).map { UnsafeRawPointer($0) - baseAddress }
  }

  private func number(at start: Int) -> Int? {
    var next = start
    var value = 0
    while next < count, case let digit = self[next] &- UInt8(ascii: "0"), digit < 10 {
      value = value &* 10 &+ Int(digit)
      next += 1
    }
    return next > start ? value : nil
  }
}
