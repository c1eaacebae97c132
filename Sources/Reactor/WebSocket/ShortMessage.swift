/// What nearly every frame of a client is: a message in one frame of at most 125 bytes, neither fragmented nor compressed. The
/// machine's table says the same of it; here it takes a quarter of the instructions.
struct ShortMessage {
  /// Valid UTF-8 if it is text.
  let payload: UnsafeRawBufferPointer
  let isText: Bool

  /// Two bytes, and the key.
  static let headerLength = 6
  var frameLength: Int { Self.headerLength + payload.count }
}

extension WebSocketMachine {
  /// The short message that lies whole at the front of `input`, unmasked where it lies. nil says nothing but that `next` must
  /// look, to which everything else is left, what is illegal too.
  @inline(__always)
  mutating func shortMessage(_ input: UnsafeMutableRawBufferPointer, limits: MessageLimits) -> ShortMessage? {
    guard state == .idle, role == .server, input.count >= ShortMessage.headerLength,
      let start = input.baseAddress
    else { return nil }
    // FIN, no reserved bit; the mask bit and a length that is no escape (RFC 6455 §5.2).
    let opcode = start.load(as: UInt8.self) &- (0x80 | Opcode.text.rawValue)
    let count = Int(start.load(fromByteOffset: 1, as: UInt8.self) &- 0x80)
    guard opcode <= Opcode.binary.rawValue - Opcode.text.rawValue, count <= 125,
      count <= input.count - ShortMessage.headerLength, count <= limits.messageBytes
    else { return nil }
    let key = UInt32(littleEndian: start.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
    let payload = UnsafeMutableRawBufferPointer(start: start + ShortMessage.headerLength, count: count)
    let isASCII = Masking.apply(key, to: payload)
    let message = ShortMessage(payload: UnsafeRawBufferPointer(payload), isText: opcode == 0)
    if message.isText, !isASCII, !UTF8Validator.isValid(message.payload) {
      // `next` finds it as it came.
      Masking.apply(key, to: payload)
      return nil
    }
    return message
  }
}
