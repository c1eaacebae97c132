/// Reads one frame header from the front of `bytes`; every illegal one is refused at the first byte that
/// tells.
enum FrameParser {
  /// Nil means that the header is not complete yet: call again with the same bytes and more.
  @inline(__always)
  static func parse(
    _ bytes: UnsafeRawBufferPointer, role: WebSocketRole, deflates: Bool = false
  ) throws(WebSocketError) -> FrameHeader? {
    guard bytes.count > 0 else { return nil }
    let opcode = try opcode(of: bytes[0], deflates)
    guard bytes.count > 1 else { return nil }
    let short = try shortLength(of: bytes[1], opcode: opcode, role: role)
    let keyStart: Int
    let length: Int
    switch short {
    case 126:
      guard let extended = try length16(bytes) else { return nil }
      (length, keyStart) = (extended, 4)
    case 127:
      guard let extended = try length64(bytes) else { return nil }
      (length, keyStart) = (extended, 10)
    default:
      (length, keyStart) = (short, 2)
    }
    let masked = role.expectsMask
    let headerLength = masked ? keyStart + 4 : keyStart
    guard bytes.count >= headerLength else { return nil }
    let key =
      masked ? UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: keyStart, as: UInt32.self)) : 0
    return FrameHeader(
      fin: bytes[0] & 0x80 != 0, compressed: bytes[0] & 0x40 != 0, opcode: opcode, masked: masked,
      maskKey: key, payloadLength: length, headerLength: headerLength)
  }

  @inline(__always)
  private static func opcode(of byte: UInt8, _ deflates: Bool) throws(WebSocketError) -> Opcode {
    // RFC 6455 §5.2: MUST be 0 unless an extension defines them.
    guard byte & 0x70 == 0 || (deflates && beginsCompressed(byte)) else {
      throw .protocolError("reserved bit set")
    }
    guard let opcode = Opcode(rawValue: byte & 0x0F) else { throw .protocolError("reserved opcode") }
    // RFC 6455 §5.5.
    guard !opcode.isControl || byte & 0x80 != 0 else { throw .protocolError("fragmented control frame") }
    return opcode
  }

  /// RFC 7692 §6: RSV1, in the first frame of a data message and in no other.
  private static func beginsCompressed(_ byte: UInt8) -> Bool {
    let opcode = Opcode(rawValue: byte & 0x0F)
    return byte & 0x30 == 0 && (opcode == .text || opcode == .binary)
  }

  @inline(__always)
  private static func shortLength(
    of byte: UInt8, opcode: Opcode, role: WebSocketRole
  ) throws(WebSocketError) -> Int {
    // RFC 6455 §5.1: both ends MUST close on a frame that is masked the wrong way.
    guard (byte & 0x80 != 0) == role.expectsMask else { throw .protocolError("wrong masking") }
    let length = Int(byte & 0x7F)
    guard !opcode.isControl || length <= FrameHeader.maximumControlPayload else {
      throw .protocolError("control frame over 125 bytes")
    }
    return length
  }

  private static func length16(_ bytes: UnsafeRawBufferPointer) throws(WebSocketError) -> Int? {
    guard bytes.count >= 4 else { return nil }
    let length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
    // RFC 6455 §5.2: the minimal number of bytes MUST be used.
    guard length > 125 else { throw .protocolError("length not minimal") }
    return length
  }

  private static func length64(_ bytes: UnsafeRawBufferPointer) throws(WebSocketError) -> Int? {
    guard bytes.count >= 3 else { return nil }
    guard bytes[2] & 0x80 == 0 else { throw .protocolError("length over 63 bits") }
    guard bytes.count >= 8 else { return nil }
    // Six leading zeros already mean a number that 16 bits can hold.
    guard bytes[2..<8].contains(where: { $0 != 0 }) else { throw .protocolError("length not minimal") }
    guard bytes.count >= 10 else { return nil }
    return Int(UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self)))
  }
}
