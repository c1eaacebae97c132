import CZlib

/// Compresses messages for one peer (RFC 7692 §7.2.1).
final class Deflater {
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let forgets: Bool

  /// - Returns: nil if there is no memory.
  init?(windowBits: Int, memoryLevel: Int, forgets: Bool) {
    self.forgets = forgets
    stream.initialize(to: z_stream())
    guard zlib_deflate_init(stream, Z_BEST_SPEED, Int32(windowBits), Int32(memoryLevel)) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// What a message of that length needs at most, the end of its last block included.
  func bound(_ count: Int) -> Int { Int(deflateBound(stream, UInt(count))) + 16 }

  /// Writes the compressed message to the front of `output`, which has `bound` bytes, and returns its length.
  func deflate(_ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    stream.pointee.next_in = UnsafeMutablePointer(mutating: message.bindMemory(to: UInt8.self).baseAddress)
    stream.pointee.avail_in = UInt32(message.count)
    stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(output.count)
    let result = CZlib.deflate(stream, Z_SYNC_FLUSH)
    // With no room left, a part of the flush would still be inside.
    precondition(result == Z_OK && stream.pointee.avail_out > 0, "the bound holds for every message")
    if forgets { deflateReset(stream) }
    // A sync flush ends with an empty block, 00 00 FF FF, which is not sent.
    return output.count - Int(stream.pointee.avail_out) - 4
  }
}
