/// What a request body may cost before it is refused.
struct BodyLimits: Sendable {
  /// Content after decoding; beyond it 413.
  var contentBytes: Int
  /// One chunk-size line with its extensions (RFC 9112 §7.1.1 asks for a limit), and all extensions of a
  /// body.
  var chunkLineBytes = 256
  var extensionBytes = 16 * 1024
  /// The trailer section, which is read and dropped; beyond it 431.
  var trailerBytes = 8 * 1024
}
