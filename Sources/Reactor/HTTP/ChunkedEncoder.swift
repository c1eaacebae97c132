/// Writes the chunked transfer coding (RFC 9112 §7.1).
enum ChunkedEncoder {
  /// The last chunk, without trailers: the content is complete.
  static var end: StaticString { "0\r\n\r\n" }

  /// One chunk. No bytes write nothing: a chunk of size 0 would be the last.
  static func write(_ bytes: UnsafeRawBufferPointer, into sink: inout some ByteSink) {
    guard !bytes.isEmpty else { return }
    sink.append(hexadecimal: bytes.count)
    sink.append("\r\n")
    sink.append(bytes)
    sink.append("\r\n")
  }
}
