import Testing

@testable import Reactor

@Suite("Frame header (RFC 6455 §5.2)")
struct FrameParserTests {
  private func parse(_ bytes: [UInt8], _ role: WebSocketRole) throws -> FrameHeader? {
    try bytes.withUnsafeBytes { try FrameParser.parse($0, role: role) }
  }

  struct Legal: Sendable {
    let bytes: String
    let role: WebSocketRole
    let header: FrameHeader
  }

  @Test(arguments: [
    Legal(
      bytes: "8180 01020304", role: .server,
      header: FrameHeader(
        fin: true, opcode: .text, masked: true, maskKey: 0x0403_0201, payloadLength: 0, headerLength: 6)),
    Legal(
      bytes: "02FE 007E 00000000", role: .server,
      header: FrameHeader(
        fin: false, opcode: .binary, masked: true, maskKey: 0, payloadLength: 126, headerLength: 8)),
    Legal(
      bytes: "80FF 0000000000010000 AABBCCDD", role: .server,
      header: FrameHeader(
        fin: true, opcode: .continuation, masked: true, maskKey: 0xDDCC_BBAA, payloadLength: 65536,
        headerLength: 14)),
    Legal(
      bytes: "827F 7FFFFFFFFFFFFFFF", role: .client,
      header: FrameHeader(
        fin: true, opcode: .binary, masked: false, maskKey: 0, payloadLength: .max, headerLength: 10)),
    Legal(
      bytes: "8A7D", role: .client,
      header: FrameHeader(
        fin: true, opcode: .pong, masked: false, maskKey: 0, payloadLength: 125, headerLength: 2)),
    Legal(
      bytes: "817E FFFF", role: .client,
      header: FrameHeader(
        fin: true, opcode: .text, masked: false, maskKey: 0, payloadLength: 65535, headerLength: 4)),
  ])
  func `is complete with its last byte, and not before`(row: Legal) throws {
    let bytes = hex(row.bytes)
    for count in 0..<bytes.count { #expect(try parse(Array(bytes[..<count]), row.role) == nil) }
    #expect(try parse(bytes, row.role) == row.header)
    #expect(try parse(bytes + [0xFF, 0xFF], row.role) == row.header)
  }

  /// The last byte written here is the one that tells.
  @Test(arguments: [
    ("RSV1", "C1", WebSocketRole.server), ("RSV2", "A1", .server), ("RSV3", "91", .client),
    ("opcode 3", "83", .server), ("opcode 7", "07", .server), ("opcode 11", "8B", .server),
    ("opcode 15", "8F", .client),
    ("fragmented close", "08", .server), ("fragmented ping", "09", .server),
    ("fragmented pong", "0A", .client),
    ("ping of 126", "89FE", .server), ("close of a 64-bit length", "887F", .client),
    ("unmasked to a server", "8105", .server), ("masked to a client", "8185", .client),
    ("125 in 16 bits", "827E007D", .client), ("0 in 16 bits", "82FE0000", .server),
    ("65535 in 64 bits", "82FF000000000000", .server), ("1 in 64 bits", "827F000000000000", .client),
    ("a 64-bit length with the top bit", "827F80", .client),
  ])
  func `is refused at the first byte that tells`(name: String, text: String, role: WebSocketRole) throws {
    let bytes = hex(text)
    #expect(try parse(Array(bytes.dropLast()), role) == nil)
    let error = #expect(throws: WebSocketError.self) { try parse(bytes, role) }
    #expect(error?.code == .protocolError)
  }

  @Test func `only the six opcodes are known`() {
    #expect((UInt8(0)...15).filter { Opcode(rawValue: $0) != nil } == [0, 1, 2, 8, 9, 10])
    #expect((UInt8(0)...15).compactMap(Opcode.init).filter(\.isControl) == [.close, .ping, .pong])
  }
}
