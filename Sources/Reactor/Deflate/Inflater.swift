import CZlib

/// Decompresses a peer's messages (RFC 7692 §7.2.2).
final class Inflater {
  enum Failure: Error {
    /// The message would be longer than it may be.
    case tooBig
    case notDeflate
  }

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let forgets: Bool

  /// - Parameters:
  ///   - windowBits: of the peer's window.
  ///   - forgets: each message is compressed by itself.
  /// - Returns: nil if there is no memory.
  init?(windowBits: Int, forgets: Bool) {
    self.forgets = forgets
    stream.initialize(to: z_stream())
    guard zlib_inflate_init(stream, Int32(windowBits)) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Writes the message's bytes to the front of `output` and returns their number. What fills it is too big: an inflate bomb
  /// costs no more than a message of the full length.
  func inflate(
    _ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(Failure) -> Int {
    stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(output.count)
    try feed(message)
    // The end of the last block, which the sender has taken away.
    let tail: [4 of UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    try withUnsafeBytes(of: tail) { bytes throws(Failure) in try feed(bytes) }
    if forgets { inflateReset(stream) }
    return output.count - Int(stream.pointee.avail_out)
  }

  private func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
    stream.pointee.avail_in = UInt32(bytes.count)
    while stream.pointee.avail_in > 0 {
      switch CZlib.inflate(stream, Z_SYNC_FLUSH) {
      case Z_OK: break
      // A block that says that it is the last (§7.2.3.4): another stream follows in the same message.
      case Z_STREAM_END: inflateReset(stream)
      default: throw .notDeflate
      }
      if stream.pointee.avail_out == 0 { throw .tooBig }
    }
  }
}
