/// Validates UTF-8 (RFC 3629, Unicode table 3-7) that comes in pieces, and fails at the first byte after
/// which no continuation could be valid: a peer learns of bad text while its message is still incomplete.
///
/// Between two pieces it remembers how many bytes the current scalar still needs, and the range of the next
/// one (narrower after E0, ED, F0 and F4: no overlong forms, no surrogates, nothing over U+10FFFF).
struct UTF8Validator: Sendable {
  private var needed: UInt8 = 0
  private var lower: UInt8 = 0x80
  private var upper: UInt8 = 0xBF

  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var validator = UTF8Validator()
    return validator.consume(bytes) && validator.finish()
  }

  /// Whether the text so far ends between two scalars.
  func finish() -> Bool { needed == 0 }

  /// False if the text cannot be valid whatever follows; the validator is then of no further use.
  mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var i = 0
    while i < bytes.count {
      if needed == 0 {
        i = Self.skipWholeScalars(bytes, from: i)
        if i == bytes.count { break }
      }
      guard accept(bytes[i]) else { return false }
      i += 1
    }
    return true
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    guard needed == 0 else {
      guard byte >= lower && byte <= upper else { return false }
      (lower, upper) = (0x80, 0xBF)
      needed -= 1
      return true
    }
    switch byte {
    case 0x00...0x7F: break
    case 0xC2...0xDF: needed = 1
    case 0xE0: (needed, lower) = (2, 0xA0)
    case 0xED: (needed, upper) = (2, 0x9F)
    case 0xE1...0xEF: needed = 2
    case 0xF0: (needed, lower) = (3, 0x90)
    case 0xF1...0xF3: needed = 3
    case 0xF4: (needed, upper) = (3, 0x8F)
    default: return false
    }
    return true
  }

  /// The fast path: stops near the end, or before a scalar that is not valid or not complete; `accept` takes
  /// over.
  @inline(__always)
  private static func skipWholeScalars(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var i = start
    while true {
      i = skipASCII(bytes, from: i)
      guard bytes.count - i >= 4 else { return i }
      let length = scalarLength(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)))
      guard length > 0 else { return i }
      i += length
    }
  }

  @inline(__always)
  private static func skipASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var i = start
    while bytes.count - i >= 32 {
      let block = bytes.loadUnaligned(fromByteOffset: i, as: SIMD4<UInt64>.self)
      guard (block[0] | block[1] | block[2] | block[3]) & highBits == 0 else { break }
      i += 32
    }
    while bytes.count - i >= 8 {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)) & highBits
      guard word == 0 else { return i + word.trailingZeroBitCount / 8 }
      i += 8
    }
    while i < bytes.count && bytes[i] < 0x80 { i += 1 }
    return i
  }

  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// The length of the valid scalar of two to four bytes at the front of `word` (first byte lowest), else 0.
  @inline(__always)
  private static func scalarLength(_ word: UInt32) -> Int {
    // 110xxxxx 10xxxxxx, not overlong (C0, C1).
    if word & 0xC0E0 == 0x80C0 { return word & 0x1E != 0 ? 2 : 0 }
    // 1110xxxx 10xxxxxx 10xxxxxx, neither overlong (E0 80-9F) nor a surrogate (ED A0-BF).
    if word & 0xC0C0F0 == 0x8080E0 {
      let top = word & 0x200F
      return top != 0 && top != 0x200D ? 3 : 0
    }
    // 11110xxx and three more, not overlong (F0 80-8F), not over U+10FFFF (F4 90 and up).
    if word & 0xC0C0_C0F8 == 0x8080_80F0 {
      let top = word & 0x3007
      return top != 0 && (top & 0x4 == 0 || top == 0x4) ? 4 : 0
    }
    return 0
  }
}
