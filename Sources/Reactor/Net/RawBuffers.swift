extension UnsafeMutableRawBufferPointer {
  /// What follows the first `bytes` of it.
  @inline(__always)
  func dropping(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
    precondition(bytes >= 0 && bytes <= count)
    return UnsafeMutableRawBufferPointer(start: baseAddress.map { $0 + bytes }, count: count - bytes)
  }
}

extension UnsafeMutableRawPointer {
  /// Copies a short message's bytes without a call, and so without what a function must save around one: 32 bytes at a time, and
  /// then what is left by halves.
  @inline(__always)
  func copyShort(_ source: UnsafeRawPointer, count: Int) {
    var next = 0
    while count &- next >= 32 {
      storeBytes(
        of: source.loadUnaligned(fromByteOffset: next, as: SIMD4<UInt64>.self), toByteOffset: next,
        as: SIMD4<UInt64>.self)
      next &+= 32
    }
    if count == next { return }
    if count & 16 != 0 { copy(SIMD2<UInt64>.self, source, &next) }
    if count & 8 != 0 { copy(UInt64.self, source, &next) }
    if count & 4 != 0 { copy(UInt32.self, source, &next) }
    if count & 2 != 0 { copy(UInt16.self, source, &next) }
    if count & 1 != 0 { copy(UInt8.self, source, &next) }
  }

  @inline(__always)
  private func copy<Word: BitwiseCopyable>(_: Word.Type, _ source: UnsafeRawPointer, _ at: inout Int) {
    storeBytes(of: source.loadUnaligned(fromByteOffset: at, as: Word.self), toByteOffset: at, as: Word.self)
    at &+= MemoryLayout<Word>.size
  }
}
