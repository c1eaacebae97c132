import Glibc

// Messages are looked at and not parsed: a JSON parser would take more time than the server's work.
extension UnsafeRawBufferPointer {
  @inline(__always)
  func starts(with text: StaticString) -> Bool { holds(text, at: 0) }

  /// The decimal number behind the first occurrence of that text.
  func number(after text: StaticString) -> Int? {
    var found = scan(after: text)
    return found?.number()
  }

  /// What stands behind the first occurrence of that text.
  func scan(after text: StaticString) -> Scan? {
    var start = 0
    while let found = offset(of: text.utf8Start[0], from: start) {
      if holds(text, at: found) {
        return Scan(UnsafeRawBufferPointer(rebasing: self[(found + text.utf8CodeUnitCount)...]))
      }
      start = found + 1
    }
    return nil
  }

  @inline(__always)
  private func holds(_ text: StaticString, at offset: Int) -> Bool {
    guard let baseAddress, count - offset >= text.utf8CodeUnitCount else { return false }
    return memcmp(baseAddress + offset, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  private func offset(of byte: UInt8, from start: Int) -> Int? {
    guard let baseAddress, start < count else { return nil }
    return memchr(baseAddress + start, Int32(byte), count - start).map { UnsafeRawPointer($0) - baseAddress }
  }
}
