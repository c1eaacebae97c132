import Testing

@testable import Reactor

@Suite("Frame encoder")
struct FrameEncoderTests {
  private func header(_ opcode: Opcode, fin: Bool = true, _ payload: Int, key: UInt32? = nil) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: FrameHeader.maximumLength)
    let length = bytes.withUnsafeMutableBytes {
      FrameEncoder.writeHeader(opcode, fin: fin, payload: payload, maskKey: key, into: $0)
    }
    #expect(bytes[length...].allSatisfy { $0 == 0xEE })
    #expect(length == FrameEncoder.headerLength(payload: payload, masked: key != nil))
    return Array(bytes[..<length])
  }

  @Test func `writes the shortest length`() {
    #expect(header(.text, 0) == hex("8100"))
    #expect(header(.text, 125) == hex("817D"))
    #expect(header(.binary, 126) == hex("827E007E"))
    #expect(header(.binary, 65535) == hex("827EFFFF"))
    #expect(header(.binary, 65536) == hex("827F0000000000010000"))
    #expect(header(.text, fin: false, 3) == hex("0103"))
    #expect(header(.continuation, 2) == hex("8002"))
  }

  @Test func `a client's key stands behind the length, first byte lowest`() {
    #expect(header(.ping, 5, key: 0x3D21_FA37) == hex("8985 37FA213D"))
    #expect(header(.text, 300, key: 0x0403_0201) == hex("81FE012C 01020304"))
    #expect(header(.text, 65536, key: 0x0403_0201) == hex("81FF0000000000010000 01020304"))
  }

  @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 1 << 40], [nil, 0xDEAD_BEEF as UInt32?])
  func `what it writes is what the parser reads`(payload: Int, key: UInt32?) throws {
    let bytes = header(.binary, payload, key: key)
    let parsed = try bytes.withUnsafeBytes { try FrameParser.parse($0, role: key == nil ? .client : .server) }
    #expect(
      parsed
        == FrameHeader(
          fin: true, opcode: .binary, masked: key != nil, maskKey: key ?? 0, payloadLength: payload,
          headerLength: bytes.count))
  }

  @Test func `a close payload holds the code and a reason cut between scalars`() {
    #expect(FrameEncoder.closePayload(.normal) == [0x03, 0xE8])
    #expect(FrameEncoder.closePayload(.goingAway, reason: "bye") == closing(1001, "bye"))
    let exact = String(repeating: "a", count: 123)
    #expect(FrameEncoder.closePayload(.normal, reason: exact + "b") == closing(1000, exact))
    let odd = String(repeating: "ä", count: 62)
    #expect(FrameEncoder.closePayload(.normal, reason: odd) == closing(1000, String(odd.dropLast())))
    let emoji = String(repeating: "a", count: 120) + "😀z"
    #expect(FrameEncoder.closePayload(.normal, reason: emoji) == closing(1000, String(emoji.prefix(120))))
  }

  @Test func `a code that must not be sent gives an empty payload`() {
    #expect(FrameEncoder.closePayload(.noStatus, reason: "x").isEmpty)
    #expect(FrameEncoder.closePayload(.abnormal).isEmpty)
  }

  @Test func `the codes allowed on the wire are those of §7.4`() {
    let allowed = (UInt16.min...UInt16.max).filter { CloseCode(rawValue: $0).isAllowedOnWire }
    #expect(allowed == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
  }
}
