import Testing

@testable import Reactor

@Suite("A short message")
struct ShortMessageTests {
  private static func take(_ bytes: [UInt8], limit: Int = 1000) -> ([UInt8], isText: Bool, left: [UInt8])? {
    var machine = WebSocketMachine(role: .server)
    var bytes = bytes
    return bytes.withUnsafeMutableBytes { all in
      machine.shortMessage(all, limits: MessageLimits(messageBytes: limit, fragments: 10)).map {
        (Array($0.payload), $0.isText, Array(all[$0.frameLength...]))
      }
    }
  }

  @Test(arguments: [0, 1, 31, 32, 33, 64, 125])
  func `is taken whole, and what follows is left`(count: Int) throws {
    let payload = (0..<count).map { UInt8($0) }
    for opcode in [Opcode.text, .binary] {
      let taken = try #require(Self.take(frame(opcode, payload) + [1, 2]))
      #expect(taken.0 == payload && taken.isText == (opcode == .text) && taken.left == [1, 2])
    }
  }

  @Test func `may be text that is not ASCII`() throws {
    let text = Array("Grüße, 世界 👋".utf8)
    #expect(try #require(Self.take(frame(.text, text))).0 == text)
  }

  @Test(arguments: [
    frame(.text, [UInt8](repeating: 0x61, count: 126)), frame(.text, [0x61], fin: false),
    frame(.continuation, [0x61]), frame(.ping, [0x61]), frame(.close, []), frame(.text, [0x61, 0xFF]),
    hex("C1 81 00000000 61"), hex("81 01 61"), hex("83 81 00000000 61"), hex("81"), [],
    frame(.text, [0x61, 0x62]).dropLast(),
  ])
  func `is nothing else, and then the bytes stay as they came`(bytes: [UInt8]) {
    var machine = WebSocketMachine(role: .server)
    var shown = bytes
    shown.withUnsafeMutableBytes { #expect(machine.shortMessage($0, limits: roomy) == nil) }
    #expect(shown == bytes)
  }

  @Test func `is alone or it is none, where it must be`() {
    let bytes = frame(.text, [0x61, 0x62])
    for (shown, isTaken) in [(bytes, true), (bytes + [0x81], false), (bytes.dropLast(), false)] {
      var machine = WebSocketMachine(role: .server)
      var after = Array(shown)
      let isFound = after.withUnsafeMutableBytes {
        machine.shortMessage($0, alone: true, limits: roomy) != nil
      }
      #expect(isFound == isTaken && (isTaken || after == Array(shown)))
    }
  }

  @Test func `is not longer than a message may be`() {
    #expect(Self.take(frame(.text, [1, 2, 3]), limit: 3) != nil)
    #expect(Self.take(frame(.text, [1, 2, 3]), limit: 2) == nil)
  }
}
