extension UnsafeMutableRawBufferPointer {
  /// What follows the first `bytes` of it.
  @inline(__always)
  func dropping(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
    precondition(bytes >= 0 && bytes <= count)
    return UnsafeMutableRawBufferPointer(start: baseAddress.map { $0 + bytes }, count: count - bytes)
  }
}
