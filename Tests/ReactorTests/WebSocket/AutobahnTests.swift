import Testing

@testable import Reactor

/// The cases of the Autobahn test suite that concern the machine, under its numbers.
@Suite("Autobahn's cases")
struct AutobahnTests {
  private static func text(_ payload: String, fin: Bool = true) -> [UInt8] {
    frame(.text, Array(payload.utf8), fin: fin)
  }

  private static func more(_ payload: String, fin: Bool = true) -> [UInt8] {
    frame(.continuation, Array(payload.utf8), fin: fin)
  }

  private static let sizes = [0, 125, 126, 127, 128, 65535, 65536]

  @Test("1.1, 1.2 framing", arguments: sizes)
  func framing(size: Int) {
    let payload = [UInt8](repeating: UInt8(ascii: "*"), count: size)
    for opcode in [Opcode.text, .binary] {
      let seen: Seen = opcode == .text ? .text(String(decoding: payload, as: UTF8.self)) : .binary(payload)
      for pieces in [[size + 14], [997], [1], [1460]] {
        #expect(stepsOf(frame(opcode, payload), pieces: pieces, to: .server) == [seen])
      }
    }
  }

  private static let full = [UInt8](repeating: 0xFE, count: 125)

  @Test(
    "2 pings and pongs",
    arguments: [
      WireCase("2.1", frame(.ping), [.ping([])]),
      WireCase("2.2", frame(.ping, Array("Hello, world!".utf8)), [.ping(Array("Hello, world!".utf8))]),
      WireCase("2.3", frame(.ping, hex("00FFFEFDFCFB00FF")), [.ping(hex("00FFFEFDFCFB00FF"))]),
      WireCase("2.4", frame(.ping, full), [.ping(full)]),
      WireCase("2.5", frame(.ping, full + [0xFE]), [.failed(1002)]),
      WireCase("2.7", frame(.pong), [.pong([])]),
      WireCase(
        "2.9", frame(.pong, [1]) + frame(.ping, [2]), [.pong([1]), .ping([2])]),
      WireCase(
        "2.10", (0..<10).flatMap { frame(.ping, [$0]) }, (0..<10).map { .ping([$0]) }),
    ])
  func pings(row: WireCase) { row.check() }

  @Test("3 reserved bits", arguments: 1...7)
  func reservedBits(bits: Int) {
    let rsv = UInt8(bits) << 4
    WireCase("3 text", rawFrame(0x81 | rsv, [0x61]), [.failed(1002)]).check()
    WireCase("3 ping", rawFrame(0x89 | rsv, [0x61]), [.failed(1002)]).check()
    WireCase(
      "3 behind a message", Self.text("a") + rawFrame(0x81 | rsv, [0x61]), [.text("a"), .failed(1002)]
    ).check()
  }

  @Test("4 reserved opcodes", arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8])
  func reservedOpcodes(opcode: UInt8) {
    WireCase("4 alone", rawFrame(0x80 | opcode, [0x61]), [.failed(1002)]).check()
    WireCase("4 empty", rawFrame(0x80 | opcode, []), [.failed(1002)]).check()
    WireCase(
      "4 behind a message", Self.text("a") + rawFrame(0x80 | opcode, []) + frame(.ping),
      [.text("a"), .failed(1002)]
    ).check()
  }

  @Test(
    "5 fragments",
    arguments: [
      WireCase("5.1", frame(.ping, [1], fin: false) + more("x"), [.failed(1002)]),
      WireCase("5.2", frame(.pong, [1], fin: false) + more("x"), [.failed(1002)]),
      WireCase("5.3", text("ab", fin: false) + more("cd"), [.text("abcd")]),
      WireCase(
        "5.6", text("ab", fin: false) + frame(.ping, [1]) + more("cd"), [.ping([1]), .text("abcd")]),
      WireCase("5.9", more("x") + text("y"), [.failed(1002)]),
      WireCase("5.12", more("x", fin: false) + text("y"), [.failed(1002)]),
      WireCase(
        "5.15", text("ab", fin: false) + more("cd") + more("ef", fin: false) + text("gh"),
        [.text("abcd"), .failed(1002)]),
      WireCase("5.16", more("x", fin: false) + text("a", fin: false) + more("b"), [.failed(1002)]),
      WireCase("5.17", more("x") + text("a", fin: false) + more("b"), [.failed(1002)]),
      WireCase("5.18", text("a", fin: false) + text("b"), [.failed(1002)]),
      WireCase(
        "5.19",
        text("1", fin: false) + more("2", fin: false) + frame(.ping, [1]) + more("3", fin: false)
          + more("4", fin: false) + frame(.ping, [2]) + more("5"),
        [.ping([1]), .ping([2]), .text("12345")]),
    ])
  func fragments(row: WireCase) { row.check() }

  private static let greeting = "Hello-µ@ßöäüàá-UTF-8!!"

  @Test(
    "6.1, 6.2 text over fragments",
    arguments: [
      WireCase("6.1.1", text(""), [.text("")]),
      WireCase("6.1.2", text("", fin: false) + more("", fin: false) + more(""), [.text("")]),
      WireCase(
        "6.1.3", text("", fin: false) + more("middle", fin: false) + more(""), [.text("middle")]),
      WireCase("6.2.1", text(greeting), [.text(greeting)]),
      WireCase("6.2.2", text("Hello-µ@ßöä", fin: false) + more("üàá-UTF-8!!"), [.text(greeting)]),
      WireCase("6.2.3", byteFragments(Array(greeting.utf8)), [.text(greeting)]),
      WireCase("6.2.4", byteFragments(Array("κόσμε".utf8)), [.text("κόσμε")]),
      WireCase("6.3.2", byteFragments(hex("cebae1bdb9cf83cebcceb5eda080656469746564")), [.failed(1007)]),
    ])
  func textFragments(row: WireCase) { row.check() }

  /// Every byte in a frame of its own.
  private static func byteFragments(_ payload: [UInt8]) -> [UInt8] {
    payload.indices.flatMap { i in
      frame(i == 0 ? .text : .continuation, [payload[i]], fin: i == payload.count - 1)
    }
  }

  @Test("6.4 fails with the first bad byte, in fragments and in pieces of one frame")
  func failsFast() {
    let (good, bad, rest) = (hex("cebae1bdb9cf83cebcceb5"), hex("f490"), hex("8080656469746564"))
    var fragments = MachineRun(.server)
    fragments.feed(frame(.text, good + [bad[0]], fin: false))
    #expect(fragments.seen.isEmpty)
    fragments.feed(frame(.continuation, [bad[1]], fin: false))
    #expect(fragments.seen == [.failed(1007)])

    var pieces = MachineRun(.server)
    let whole = frame(.text, good + bad + rest)
    pieces.feed(whole[..<(6 + good.count + 1)])
    #expect(pieces.seen.isEmpty)
    pieces.feed(whole[(6 + good.count + 1)..<(6 + good.count + 2)])
    #expect(pieces.seen == [.failed(1007)])
  }

  @Test(
    "6.5 to 6.23 valid text",
    arguments: [
      "68656c6c6f24776f726c64", "68656c6c6fc2a2776f726c64", "68656c6c6fe282ac776f726c64",
      "68656c6c6ff0a4ada2776f726c64", "cebae1bdb9cf83cebcceb5",
      "00", "c280", "e0a080", "f0908080", "7f", "dfbf", "efbfbf", "f48fbfbf", "ed9fbf", "ee8080", "efbfbd",
      "f48fbfbe", "f48fbfbf", "efbfbe", "f09fbfbe", "f09fbfbf", "f0afbfbe", "f3bfbfbf", "efbfb9", "efbfbc",
    ])
  func validText(payload: String) {
    let bytes = hex(payload)
    WireCase(payload, frame(.text, bytes), [.text(String(decoding: bytes, as: UTF8.self))]).check()
  }

  @Test(
    "6.3 to 6.21 invalid text",
    arguments: [
      "cebae1bdb9cf83cebcceb5eda080656469746564",
      // 6.6: unfinished.
      "ce", "cebae1", "cebae1bd", "cebae1bdb9cf", "cebae1bdb9cf83ce", "cebae1bdb9cf83cebcce",
      // 6.8, 6.10: five and six bytes, above U+10FFFF.
      "f888808080", "fc8480808080", "f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf", "f4908080",
      // 6.12, 6.13: stray continuation bytes, lonely first bytes.
      "80", "bf", "80bf", "80bf80bf80bf", "c020c120", "e020", "f020", "f820", "fc20",
      // 6.14 to 6.16: a last byte missing, impossible bytes.
      "c0", "e080", "f08080", "f8808080", "df", "efbf", "f7bfbf", "fe", "ff", "fefeffff",
      // 6.17 to 6.19: overlong.
      "c0af", "e080af", "f08080af", "f8808080af", "c1bf", "e09fbf", "f08fbfbf", "c080", "e08080", "f0808080",
      // 6.20, 6.21: surrogates, alone and in pairs.
      "eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf", "eda080edb080", "edafbfedbfbf",
    ])
  func invalidText(payload: String) {
    WireCase(payload, frame(.text, hex(payload)), [.failed(1007)]).check()
  }

  @Test(
    "7.1 to 7.5 closing",
    arguments: [
      WireCase("7.1.1", text("a") + frame(.close, closing(1000)), [.text("a"), .close(1000, "")]),
      WireCase("7.1.2", frame(.close) + frame(.close), [.close(nil, "")]),
      WireCase("7.1.3", frame(.close) + frame(.ping), [.close(nil, "")]),
      WireCase("7.1.4", frame(.close) + text("a"), [.close(nil, "")]),
      WireCase("7.1.5", text("a", fin: false) + frame(.close) + more("b"), [.close(nil, "")]),
      WireCase("7.3.1", frame(.close), [.close(nil, "")]),
      WireCase("7.3.2", frame(.close, [0x61]), [.failed(1002)]),
      WireCase("7.3.3", frame(.close, closing(1000)), [.close(1000, "")]),
      WireCase("7.3.4", frame(.close, closing(1000, "Hello World!")), [.close(1000, "Hello World!")]),
      WireCase(
        "7.3.5", frame(.close, closing(1000, String(repeating: "*", count: 123))),
        [.close(1000, String(repeating: "*", count: 123))]),
      WireCase(
        "7.3.6", frame(.close, closing(1000, String(repeating: "*", count: 124))), [.failed(1002)]),
      WireCase(
        "7.5.1", frame(.close, closing(1000) + hex("cebae1bdb9cf83cebcceb5eda080656469746564")),
        [.failed(1007)]),
    ])
  func closes(row: WireCase) { row.check() }

  @Test(
    "7.7 valid close codes",
    arguments: [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    ] as [UInt16])
  func validCloseCode(code: UInt16) {
    WireCase("7.7", frame(.close, closing(code)), [.close(code, "")]).check()
  }

  @Test(
    "7.9, 7.13 invalid close codes",
    arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] as [UInt16])
  func invalidCloseCode(code: UInt16) {
    WireCase("7.9", frame(.close, closing(code)), [.failed(1002)]).check()
    WireCase("7.9 with a reason", frame(.close, closing(code, "x")), [.failed(1002)]).check()
  }

  @Test("10.1.1 a message of 65,536 bytes in fragments of 1,300")
  func autoFragmentation() {
    let payload = [UInt8](repeating: UInt8(ascii: "*"), count: 65_536)
    let starts = Array(stride(from: 0, to: payload.count, by: 1300))
    let bytes = starts.flatMap { start in
      let end = min(start + 1300, payload.count)
      return frame(
        start == 0 ? .text : .continuation, Array(payload[start..<end]), fin: end == payload.count)
    }
    let expected: [Seen] = [.text(String(decoding: payload, as: UTF8.self))]
    for pieces in [[bytes.count], [1], [1300], [16_384]] {
      #expect(stepsOf(bytes, pieces: pieces, to: .server) == expected)
    }
  }
}
