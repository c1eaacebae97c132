/// The head of one frame (RFC 6455 §5.2), already found legal.
struct FrameHeader: Sendable, Equatable {
  var fin: Bool
  /// RSV1: a compressed message begins (RFC 7692 §6).
  var compressed = false
  var opcode: Opcode
  var masked: Bool
  /// First key byte in the lowest eight bits; 0 in an unmasked frame.
  var maskKey: UInt32
  var payloadLength: Int
  /// 2 to 14 bytes.
  var headerLength: Int

  /// The most bytes that a header can have: 2, an 8-byte length and a 4-byte key.
  static let maximumLength = 14
  /// RFC 6455 §5.5.
  static let maximumControlPayload = 125
}
