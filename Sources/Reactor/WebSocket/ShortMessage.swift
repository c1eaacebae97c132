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
  ///
  /// `alone` is to say that with anything behind it the answer is nil.
  @inline(__always)
  mutating func shortMessage(
    _ input: UnsafeMutableRawBufferPointer, alone: Bool = false, limits: MessageLimits
  ) -> ShortMessage? {
    guard state == .idle, role == .server, input.count >= ShortMessage.headerLength,
      let start = input.baseAddress
    else { return nil }
    // FIN, no reserved bit; the mask bit and a length that is no escape (RFC 6455 §5.2).
    let opcode = start.load(as: UInt8.self) &- (0x80 | Opcode.text.rawValue)
    let count = Int(start.load(fromByteOffset: 1, as: UInt8.self) &- 0x80)
    let room = input.count &- ShortMessage.headerLength
    guard opcode <= Opcode.binary.rawValue - Opcode.text.rawValue, count <= 125,
      alone ? count == room : count <= room, count <= limits.messageBytes
    else { return nil }
    let key = UInt32(littleEndian: start.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
    let payload = UnsafeMutableRawBufferPointer(start: start + ShortMessage.headerLength, count: count)
    let isASCII = Masking.apply(key, to: payload)
    let isText = opcode == 0
    if isText, !isASCII, !Self.isValid(payload, key) { return nil }
    return ShortMessage(payload: UnsafeRawBufferPointer(payload), isText: isText)
  }

  /// Text that is not ASCII. If it is not UTF-8 either, `next` finds it as it came.
  @inline(never)
  private static func isValid(_ text: UnsafeMutableRawBufferPointer, _ key: UInt32) -> Bool {
    if UTF8Validator.isValid(UnsafeRawBufferPointer(text)) { return true }
    Masking.apply(key, to: text)
    return false
  }
}
