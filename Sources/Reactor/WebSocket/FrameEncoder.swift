/// Writes frames (RFC 6455 §5.2): the header here, the payload stays where the caller has it.
enum FrameEncoder {
  /// What the second byte of a header can say without an escape.
  static let longestShortPayload = 125
  /// The header of such a payload, without a key.
  static let shortHeaderLength = 2
  static let longestShortFrame = shortHeaderLength + longestShortPayload

  /// Writes the header of a whole message in one store. `payload` must be short, and `target` have room.
  @inline(__always)
  static func writeShortHeader(_ opcode: Opcode, payload: Int, to target: UnsafeMutableRawPointer) {
    let header = UInt16(0x80 | opcode.rawValue) | UInt16(truncatingIfNeeded: payload) &<< 8
    target.storeBytes(of: header.littleEndian, as: UInt16.self)
  }

  /// 2, 4 or 10 bytes, and 4 for a mask key.
  @inline(__always)
  static func headerLength(payload: Int, masked: Bool) -> Int {
    let length = payload <= 125 ? 2 : payload <= 0xFFFF ? 4 : 10
    return masked ? length + 4 : length
  }

  /// Writes a header for `payload` bytes and returns its length; `target` must have that much room
  /// (`FrameHeader.maximumLength` always is). With a key the caller masks the payload with `Masking.apply`.
  @discardableResult @inline(__always)
  static func writeHeader(
    _ opcode: Opcode, fin: Bool = true, compressed: Bool = false, payload: Int, maskKey: UInt32? = nil,
    into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    let length = headerLength(payload: payload, masked: maskKey != nil)
    precondition(target.count >= length && payload >= 0)
    target[0] = (fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode.rawValue
    let maskBit: UInt8 = maskKey == nil ? 0 : 0x80
    if payload <= 125 {
      target[1] = maskBit | UInt8(payload)
    } else if payload <= 0xFFFF {
      target[1] = maskBit | 126
      target.storeBytes(of: UInt16(payload).bigEndian, toByteOffset: 2, as: UInt16.self)
    } else {
      target[1] = maskBit | 127
      target.storeBytes(of: UInt64(payload).bigEndian, toByteOffset: 2, as: UInt64.self)
    }
    if let maskKey {
      target.storeBytes(of: maskKey.littleEndian, toByteOffset: length - 4, as: UInt32.self)
    }
    return length
  }

  /// The payload of a close frame: the code, and as much of the reason as a control frame holds without
  /// cutting a scalar. Empty for a code that may not be sent (RFC 6455 §7.4.1), which then says "no status".
  static func closePayload(_ code: CloseCode, reason: String = "") -> [UInt8] {
    guard code.isAllowedOnWire else { return [] }
    var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
    for scalar in reason.unicodeScalars {
      guard let bytes = UTF8.encode(scalar) else { break }
      guard payload.count + bytes.count <= FrameHeader.maximumControlPayload else { break }
      payload.append(contentsOf: bytes)
    }
    return payload
  }
}
