/// Masking and unmasking, which are the same operation (RFC 6455 §5.3).
enum Masking {
  /// XORs `bytes` with the key in place. `phase` is the position in the payload of the first byte (only its
  /// remainder by four matters), so a payload can be unmasked piece by piece.
  ///
  /// True if all that came out is ASCII, which is known as it passes: text that is need not be looked at again.
  ///
  /// Through raw pointers, 32 bytes at a time and then what is left by halves, because a checked byte loop takes five times as
  /// long; the tests compare it with that loop.
  @discardableResult @inline(__always)
  static func apply(_ key: UInt32, phase: Int = 0, to bytes: UnsafeMutableRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let count = bytes.count
    let key = turned(key, by: phase)
    let block = SIMD8<UInt32>(repeating: key.littleEndian)
    var seenBlock = SIMD8<UInt32>(repeating: 0)
    var next = start
    var left = count
    while left >= 32 {
      let plain = next.loadUnaligned(as: SIMD8<UInt32>.self) ^ block
      next.storeBytes(of: plain, as: SIMD8<UInt32>.self)
      seenBlock |= plain
      next += 32
      left &-= 32
    }
    var half = seenBlock.lowHalf | seenBlock.highHalf
    var seen: UInt32 = 0
    if left > 0 {
      if left & 16 != 0 {
        let plain = next.loadUnaligned(as: SIMD4<UInt32>.self) ^ block.lowHalf
        next.storeBytes(of: plain, as: SIMD4<UInt32>.self)
        half |= plain
        next += 16
      }
      if left & 8 != 0 {
        let plain = next.loadUnaligned(as: SIMD2<UInt32>.self) ^ block.lowHalf.lowHalf
        next.storeBytes(of: plain, as: SIMD2<UInt32>.self)
        seen |= plain[0] | plain[1]
        next += 8
      }
      if left & 4 != 0 {
        let plain = next.loadUnaligned(as: UInt32.self) ^ key.littleEndian
        next.storeBytes(of: plain, as: UInt32.self)
        seen |= plain
        next += 4
      }
      // A key's length goes by without a turn of it.
      var rest = key
      for _ in 0..<left & 3 {
        let plain = next.load(as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest)
        next.storeBytes(of: plain, as: UInt8.self)
        seen |= UInt32(plain)
        rest >>= 8
        next += 1
      }
    }
    let quarter = half.lowHalf | half.highHalf
    return (seen | quarter[0] | quarter[1]) & 0x8080_8080 == 0
  }

  /// The key, turned so that its lowest byte is the one for `phase`.
  @inline(__always)
  private static func turned(_ key: UInt32, by phase: Int) -> UInt32 {
    let shift = UInt32(truncatingIfNeeded: (phase & 3) * 8)
    return key &>> shift | key &<< (32 &- shift)
  }
}
