/// Masking and unmasking, which are the same operation (RFC 6455 §5.3).
enum Masking {
  /// XORs `bytes` with the key in place. `phase` is the position in the payload of the first byte (only its
  /// remainder by four matters), so a payload can be unmasked piece by piece.
  ///
  /// Through raw pointers and in words, because a checked byte loop takes five times as long; the tests
  /// compare it with that loop.
  static func apply(_ key: UInt32, phase: Int = 0, to bytes: UnsafeMutableRawBufferPointer) {
    guard var next = bytes.baseAddress else { return }
    let end = next + bytes.count
    let word = doubled(key, phase: phase)
    let block = SIMD4<UInt64>(repeating: word.littleEndian)
    while end - next >= 32 {
      next.storeBytes(of: next.loadUnaligned(as: SIMD4<UInt64>.self) ^ block, as: SIMD4<UInt64>.self)
      next += 32
    }
    while end - next >= 8 {
      next.storeBytes(of: next.loadUnaligned(as: UInt64.self) ^ word.littleEndian, as: UInt64.self)
      next += 8
    }
    var rest = word
    while next < end {
      next.storeBytes(of: next.load(as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest), as: UInt8.self)
      rest >>= 8
      next += 1
    }
  }

  /// The key twice, turned so that its lowest byte is the one for `phase`.
  @inline(__always)
  private static func doubled(_ key: UInt32, phase: Int) -> UInt64 {
    let shift = UInt32(truncatingIfNeeded: (phase & 3) * 8)
    let turned = key &>> shift | key &<< (32 &- shift)
    return UInt64(turned) << 32 | UInt64(turned)
  }
}
