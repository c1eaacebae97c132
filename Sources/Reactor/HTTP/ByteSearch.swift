/// Reading and searching untrusted bytes. Every access is checked against the span: a slip in the parser
/// traps instead of reading a neighbour's memory.
extension RawSpan {
  @inline(__always)
  subscript(offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  /// Eight bytes, the first in the low bits.
  @inline(__always)
  func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The first control character (tab included), or `end`; eight bytes at a time.
  func firstControl(from start: Int, to end: Int) -> Int {
    var at = start
    while at + 8 <= end {
      let found = Word.lessThanSpace(word(at: at)) | Word.equal(word(at: at), to: 0x7F)
      if found != 0 { return at + found.trailingZeroBitCount / 8 }
      at += 8
    }
    while at < end && !self[at].isControl { at += 1 }
    return at
  }

  /// The first CR, or the span's end.
  func firstCarriageReturn(from start: Int) -> Int {
    var at = start
    while at + 8 <= byteCount {
      let found = Word.equal(word(at: at), to: .carriageReturn)
      if found != 0 { return at + found.trailingZeroBitCount / 8 }
      at += 8
    }
    while at < byteCount && self[at] != .carriageReturn { at += 1 }
    return at
  }

  /// The first byte that is not of the class, or the span's end.
  @inline(__always)
  func first(outside set: ByteClass, from start: Int) -> Int {
    var at = start
    while at < byteCount && set.contains(self[at]) { at += 1 }
    return at
  }

  /// Compares without case; `text` is ASCII in lower case.
  func equals(_ text: StaticString, at range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for i in 0..<range.count where self[range.lowerBound + i].asciiLowercased != text.utf8Start[i] {
      return false
    }
    return true
  }
}

/// Tests on the eight bytes of a word at once: a byte's top bit is set where the test holds. Above the first
/// such byte a borrow may set more, so only the lowest set bit counts.
private enum Word {
  @inline(__always)
  static func lessThanSpace(_ word: UInt64) -> UInt64 {
    (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
  }

  @inline(__always)
  static func equal(_ word: UInt64, to byte: UInt8) -> UInt64 {
    let difference = word ^ (UInt64(byte) &* 0x0101_0101_0101_0101)
    return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
  }
}
