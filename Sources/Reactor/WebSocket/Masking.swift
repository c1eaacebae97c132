/// Masking and unmasking, which are the same operation (RFC 6455 §5.3).
enum Masking {
  /// XORs `bytes` with the key in place. `phase` is the position in the payload of the first byte (only its
  /// remainder by four matters), so a payload can be unmasked piece by piece.
  ///
  /// True if all that came out is ASCII, which is known as it passes: text that is need not be looked at again.
  ///
  /// Through raw pointers and in words, because a checked byte loop takes five times as long; the tests
  /// compare it with that loop.
  @discardableResult @inline(__always)
  static func apply(_ key: UInt32, phase: Int = 0, to bytes: UnsafeMutableRawBufferPointer) -> Bool {
    guard var next = bytes.baseAddress else { return true }
    let end = next + bytes.count
    let word = doubled(key, phase: phase)
    let block = SIMD4<UInt64>(repeating: word.littleEndian)
    var seenBlock = SIMD4<UInt64>(repeating: 0)
    while end - next >= 32 {
      let plain = next.loadUnaligned(as: SIMD4<UInt64>.self) ^ block
      next.storeBytes(of: plain, as: SIMD4<UInt64>.self)
      seenBlock |= plain
      next += 32
    }
    var seen = seenBlock[0] | seenBlock[1] | seenBlock[2] | seenBlock[3]
    while end - next >= 8 {
      let plain = next.loadUnaligned(as: UInt64.self) ^ word.littleEndian
      next.storeBytes(of: plain, as: UInt64.self)
      seen |= plain
      next += 8
    }
    var rest = word
    while next < end {
      let plain = next.load(as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest)
      next.storeBytes(of: plain, as: UInt8.self)
      seen |= UInt64(plain)
      rest >>= 8
      next += 1
    }
    return seen & 0x8080_8080_8080_8080 == 0
  }

  /// The key twice, turned so that its lowest byte is the one for `phase`.
  @inline(__always)
  private static func doubled(_ key: UInt32, phase: Int) -> UInt64 {
    let shift = UInt32(truncatingIfNeeded: (phase & 3) * 8)
    let turned = key &>> shift | key &<< (32 &- shift)
    return UInt64(turned) << 32 | UInt64(turned)
  }
}
