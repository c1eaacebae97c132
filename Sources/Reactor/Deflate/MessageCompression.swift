/// permessage-deflate of one WebSocket. What compresses and what decompresses is made when there is something for it.
final class MessageCompression {
  /// Shorter messages are sent as they are.
  static let shortest = 32
  /// Of 9: 16 KiB beside the window.
  private static let memoryLevel = 5

  let agreement: DeflateAgreement
  private var inflater: Inflater?
  private var deflater: Deflater?

  init(_ agreement: DeflateAgreement) { self.agreement = agreement }

  func inflate(
    _ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(WebSocketError) -> UnsafeRawBufferPointer {
    if inflater == nil {
      inflater = Inflater(windowBits: agreement.clientWindowBits, forgets: agreement.clientForgets)
    }
    guard let inflater else { throw WebSocketError(code: .internalError, reason: "no memory") }
    do throws(Inflater.Failure) {
      let count = try inflater.inflate(message, into: output)
      return UnsafeRawBufferPointer(rebasing: output[..<count])
    } catch {
      throw error == .tooBig ? .tooBig("message too big") : .protocolError("not deflate")
    }
  }

  /// What compresses a message; nil for one that is better sent as it is.
  func deflater(for message: UnsafeRawBufferPointer) -> Deflater? {
    guard message.count >= Self.shortest else { return nil }
    if deflater == nil {
      deflater = Deflater(
        windowBits: agreement.serverWindowBits, memoryLevel: Self.memoryLevel,
        forgets: agreement.serverForgets)
    }
    return deflater
  }
}

/// Memory for one decompressed message, made when the first is there.
final class InflateBuffer {
  let bytes: UnsafeMutableRawBufferPointer

  init(_ count: Int) { bytes = .allocate(byteCount: count, alignment: 16) }
  deinit { bytes.deallocate() }
}
