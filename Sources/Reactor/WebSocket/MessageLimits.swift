/// What one message may cost; beyond it the connection fails with 1009.
struct MessageLimits: Sendable {
  /// Payload bytes of all its fragments together.
  var messageBytes: Int
  /// Frames it may consist of, empty ones too: they cost time although they add no byte.
  var fragments: Int
}
