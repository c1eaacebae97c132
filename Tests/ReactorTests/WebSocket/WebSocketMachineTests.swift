import Testing

@testable import Reactor

@Suite("WebSocket machine")
struct WebSocketMachineTests {
  private static func rows(to role: WebSocketRole) -> [WireCase] {
    func f(_ opcode: Opcode, _ text: String = "", fin: Bool = true) -> [UInt8] {
      frame(opcode, Array(text.utf8), fin: fin, to: role)
    }
    func row(_ name: String, _ bytes: [UInt8], _ steps: [Seen]) -> WireCase {
      WireCase("\(name), to a \(role)", bytes, steps, to: role)
    }
    return [
      row("nothing", [], []),
      row("two messages", f(.text, "one") + f(.binary, "two"), [.text("one"), .binary(Array("two".utf8))]),
      row("an empty message", f(.text), [.text("")]),
      row("two fragments", f(.text, "Hel", fin: false) + f(.continuation, "lo"), [.text("Hello")]),
      row(
        "a scalar over three fragments",
        frame(.text, [0xE2], fin: false, to: role) + frame(.continuation, [0x82], fin: false, to: role)
          + frame(.continuation, [0xAC], to: role), [.text("€")]),
      row(
        "control frames between fragments",
        f(.ping, "a") + f(.binary, "x", fin: false) + f(.ping, "b") + f(.continuation, "", fin: false)
          + f(.pong) + f(.continuation, "y"),
        [.ping([97]), .ping([98]), .pong([]), .binary(Array("xy".utf8))]),
      row(
        "a message after a fragmented one",
        f(.text, "a", fin: false) + f(.continuation, "b") + f(.text, "c"), [.text("ab"), .text("c")]),
      row("continuation of nothing", f(.continuation, "x"), [.failed(1002)]),
      row(
        "continuation behind a whole message", f(.text, "a") + f(.continuation), [.text("a"), .failed(1002)]),
      row("a message within a message", f(.text, "a", fin: false) + f(.text, "b"), [.failed(1002)]),
      row("a binary message within a text", f(.text, "a", fin: false) + f(.binary, "b"), [.failed(1002)]),
      row("bad text", frame(.text, [0x61, 0xFF], to: role), [.failed(1007)]),
      row("text that ends in a scalar", frame(.text, [0x61, 0xE2, 0x82], to: role), [.failed(1007)]),
      row("binary need not be text", frame(.binary, [0xFF, 0xC0], to: role), [.binary([0xFF, 0xC0])]),
      row("close without a payload", f(.close), [.close(nil, "")]),
      row("close with a reason", frame(.close, closing(1001, "äöü"), to: role), [.close(1001, "äöü")]),
      row("close of one byte", frame(.close, [3], to: role), [.failed(1002)]),
      row("close with a bad code", frame(.close, closing(1005), to: role), [.failed(1002)]),
      row("close with a bad reason", frame(.close, closing(1000) + [0xFF], to: role), [.failed(1007)]),
      row("bytes behind a close", f(.close) + f(.text, "x") + [0xFF, 0xFF], [.close(nil, "")]),
      row("close within a message", f(.text, "a", fin: false) + f(.close), [.close(nil, "")]),
    ]
  }

  @Test(arguments: rows(to: .server) + rows(to: .client))
  func `gives these steps however the bytes are cut`(row: WireCase) { row.check() }

  private static let small = MessageLimits(messageBytes: 8, fragments: 3)

  @Test(arguments: [
    WireCase("at the limit", frame(.text, Array("12345678".utf8)), [.text("12345678")], limits: small),
    WireCase("over it", frame(.text, Array("123456789".utf8)), [.failed(1009)], limits: small),
    WireCase("over it by the header alone", hex("82FE FFFF 00000000"), [.failed(1009)], limits: small),
    WireCase("over it by far", hex("82FF 7FFFFFFFFFFFFFFF 00000000"), [.failed(1009)], limits: small),
    WireCase(
      "over it together",
      frame(.binary, [1, 2, 3, 4, 5], fin: false) + frame(.continuation, [6, 7, 8, 9]), [.failed(1009)],
      limits: small),
    WireCase(
      "together by a hostile length",
      frame(.binary, [1], fin: false) + hex("80FF 7FFFFFFFFFFFFFFF 00000000"), [.failed(1009)],
      limits: small),
    WireCase(
      "three fragments", frame(.text, fin: false) + frame(.continuation, fin: false) + frame(.continuation),
      [.text("")], limits: small),
    WireCase(
      "four fragments, empty ones too",
      frame(.text, fin: false) + frame(.continuation, fin: false) + frame(.continuation, fin: false)
        + frame(.continuation), [.failed(1009)], limits: small),
    WireCase(
      "control frames do not count",
      frame(.binary, [1, 2, 3, 4], fin: false) + frame(.ping, Array(repeating: 5, count: 100))
        + frame(.continuation, [5, 6, 7, 8]),
      [.ping(Array(repeating: 5, count: 100)), .binary([1, 2, 3, 4, 5, 6, 7, 8])], limits: small),
    WireCase(
      "each message counts anew",
      frame(.binary, [1, 2, 3, 4], fin: false) + frame(.continuation, [5, 6, 7, 8])
        + frame(.binary, [9, 9, 9, 9, 9]),
      [.binary([1, 2, 3, 4, 5, 6, 7, 8]), .binary([9, 9, 9, 9, 9])], limits: small),
  ])
  func `keeps the limits`(row: WireCase) { row.check() }

  @Test func `is small`() {
    #expect(MemoryLayout<WebSocketMachine>.size <= 16)
  }

  @Test func `a whole frame is handed out where it lies, and nothing is held`() throws {
    var machine = WebSocketMachine(role: .server)
    var bytes = frame(.text, Array("in place".utf8)) + frame(.ping, [1, 2])
    try bytes.withUnsafeMutableBytes { all in
      var consumed = 0
      let first = try machine.next(all, consumed: &consumed, limits: roomy)
      guard case .message(let text, isText: true) = first else {
        Issue.record("\(first)")
        return
      }
      #expect(text.baseAddress == UnsafeRawPointer(all.baseAddress)?.advanced(by: 6))
      #expect(consumed == 14 && machine.isEmpty)
      let second = try machine.next(.init(rebasing: all[consumed...]), consumed: &consumed, limits: roomy)
      guard case .ping(let payload) = second else {
        Issue.record("\(second)")
        return
      }
      #expect(payload.baseAddress == UnsafeRawPointer(all.baseAddress)?.advanced(by: 20))
    }
  }

  @Test func `holds a buffer only while a message is incomplete`() {
    var run = MachineRun(.server)
    let bytes = frame(.text, Array("abc".utf8), fin: false) + frame(.ping) + frame(.continuation, [0x64])
    run.feed(bytes.dropLast())
    #expect(!run.machine.isEmpty)
    run.feed(bytes.suffix(1))
    #expect(run.seen == [.ping([]), .text("abcd")] && run.machine.isEmpty)
  }

  @Test(arguments: [frame(.close), hex("FF")])
  func `holds nothing after the end`(end: [UInt8]) {
    var run = MachineRun(.server)
    run.feed(frame(.text, [0x61], fin: false))
    #expect(!run.machine.isEmpty)
    run.feed(end + [0xFF, 0xFF, 0xFF])
    #expect(run.machine.isEmpty && run.kept.isEmpty)
  }

  @Test func `keeps only an incomplete header or control frame with the caller`() {
    var run = MachineRun(.server)
    run.feed(frame(.binary, Array(repeating: 1, count: 300)).prefix(7))
    #expect(run.kept.count == 7 && run.machine.isEmpty)
    run.feed([0x3D, 1, 2, 3])
    #expect(run.kept.isEmpty && !run.machine.isEmpty)

    var controls = MachineRun(.server)
    controls.feed(frame(.ping, Array(repeating: 1, count: 125)).dropLast())
    #expect(controls.kept.count == 130 && controls.machine.isEmpty)
  }

  @Test func `bad text fails within an incomplete frame, at the byte`() {
    let text = Array("κόσμε".utf8) + hex("F490") + Array(repeating: 0x61, count: 5000)
    let bytes = frame(.text, text)
    var run = MachineRun(.server)
    for byte in bytes where run.failedAfter == nil { run.feed([byte]) }
    #expect(run.seen == [.failed(1007)])
    #expect(run.failedAfter == 8 + 11 + 1)
  }

  @Test func `too big fails with the header`() {
    var run = MachineRun(.server, limits: Self.small)
    run.feed(frame(.binary, Array(repeating: 1, count: 200)).prefix(8))
    #expect(run.seen == [.failed(1009)])
  }

  @Test(arguments: UInt64(0)..<16)
  func `random frames in random pieces give the same steps`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let role: WebSocketRole = seed % 2 == 0 ? .server : .client
    var (bytes, expected): ([UInt8], [Seen]) = ([], [])
    for _ in 0..<8 { appendMessage(to: &bytes, &expected, role, &random) }
    #expect(stepsOf(bytes, pieces: [bytes.count], to: role) == expected)
    for largest in [3, 40, 2000, 70_000] {
      let pieces = (0..<97).map { _ in Int.random(in: 1...largest, using: &random) }
      #expect(stepsOf(bytes, pieces: pieces, to: role) == expected, "pieces up to \(largest)")
    }
  }

  /// A random text or binary message in up to five fragments, now and then with a ping between them.
  private func appendMessage(
    to bytes: inout [UInt8], _ expected: inout [Seen], _ role: WebSocketRole, _ random: inout SeededGenerator
  ) {
    let length = [0, 5, 125, 126, 4000, 65_536].randomElement(using: &random) ?? 0
    let text = String(repeating: "wä€😀", count: length / 10 + 1)
    let fragments = Int.random(in: 1...5, using: &random)
    let isText = Bool.random(using: &random)
    var rest = Array(text.utf8)[...]
    for i in 1...fragments {
      let count = i == fragments ? rest.count : Int.random(in: 0...rest.count, using: &random)
      let opcode: Opcode = i > 1 ? .continuation : isText ? .text : .binary
      bytes += frame(opcode, Array(rest.prefix(count)), fin: i == fragments, to: role)
      rest = rest.dropFirst(count)
      guard i < fragments, Bool.random(using: &random) else { continue }
      bytes += frame(.ping, [UInt8(i)], to: role)
      expected.append(.ping([UInt8(i)]))
    }
    expected.append(isText ? .text(text) : .binary(Array(text.utf8)))
  }

  @Test(arguments: UInt64(0)..<120)
  func `noise never traps, and gives the same steps in any pieces`(seed: UInt64) {
    var random = SeededGenerator(seed: seed &* 977)
    let role: WebSocketRole = seed % 2 == 0 ? .server : .client
    var bytes = frame(.text, Array("a😀".utf8), fin: false, to: role) + frame(.ping, [1, 2, 3], to: role)
    bytes += frame(.continuation, Array("ö".utf8), to: role) + frame(.close, closing(1000, "é"), to: role)
    for _ in 0..<3 {
      bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    let whole = stepsOf(bytes, pieces: [bytes.count], to: role)
    for split in bytes.indices.dropFirst() {
      #expect(stepsOf(bytes, pieces: [split, bytes.count], to: role) == whole)
    }
    #expect(stepsOf(bytes, pieces: [1], to: role) == whole)
  }
}
