import Testing

@testable import Reactor

@Suite("permessage-deflate (RFC 7692)")
struct DeflateTests {
  // MARK: Agreeing

  private func answer(_ field: String, windowBits: Int = 15) -> String? {
    Array(field.utf8).withUnsafeBytes { bytes in
      ExtensionElement.parse(bytes).map {
        DeflateAgreement.choose($0, windowBits: windowBits)?.answer ?? "none"
      }
    }
  }

  @Test(
    "The first offer that can be met is confirmed (§5.1, §7.1)",
    arguments: [
      ("permessage-deflate", "permessage-deflate"),
      ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=15"),
      ("permessage-deflate;client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"),
      ("permessage-deflate ; server_max_window_bits=\"10\"", "permessage-deflate; server_max_window_bits=10"),
      (
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
      ),
      ("permessage-deflate; server_max_window_bits=8", "none"),
      ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"),
      (
        "permessage-deflate; x=1, permessage-deflate; server_max_window_bits=9",
        "permessage-deflate; server_max_window_bits=9"
      ),
      ("permessage-deflate; server_max_window_bits", "none"),
      ("permessage-deflate; server_max_window_bits=16", "none"),
      ("permessage-deflate; server_max_window_bits=09", "none"),
      ("permessage-deflate; client_max_window_bits=7", "none"),
      ("permessage-deflate; client_max_window_bits=+9", "none"),
      ("permessage-deflate; client_no_context_takeover=1", "none"),
      ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", "none"),
      ("x-webkit-deflate-frame, permessage-bzip2; a=b", "none"), ("", "none"), (" , ,", "none"),
    ])
  func agreement(_ field: String, _ expected: String) { #expect(answer(field) == expected) }

  @Test("No window is larger than the server's limit")
  func limitedWindow() {
    #expect(
      answer("permessage-deflate; server_max_window_bits=15; client_max_window_bits=9", windowBits: 12)
        == "permessage-deflate; server_max_window_bits=12; client_max_window_bits=9")
    #expect(
      answer("permessage-deflate; client_max_window_bits", windowBits: 12)
        == "permessage-deflate; client_max_window_bits=12")
  }

  @Test(
    "What breaks the grammar is no offer (RFC 6455 §9.1)",
    arguments: [
      "permessage-deflate;", "permessage-deflate; =1", "permessage-deflate; a=", "a b", ";a", "a; b=\"c",
      "a; b=\"\"",
      "a; b=\"c d\"", "a/b", "a; b; ;c", "\u{e9}",
    ])
  func grammar(_ field: String) { #expect(answer(field) == nil) }

  // MARK: Compressing

  private func deflate(_ message: [UInt8], with deflater: Deflater) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: deflater.bound(message.count))
    let count = message.withUnsafeBytes { message in
      output.withUnsafeMutableBytes { deflater.deflate(message, into: $0) }
    }
    return Array(output[..<count])
  }

  private func inflate(
    _ message: [UInt8], with inflater: Inflater, room: Int = 1 << 20
  ) throws(Inflater.Failure) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: room)
    let result = message.withUnsafeBytes { message in
      output.withUnsafeMutableBytes { output in
        Result { () throws(Inflater.Failure) in try inflater.inflate(message, into: output) }
      }
    }
    return Array(output[..<(try result.get())])
  }

  @Test(
    "What is compressed is what is decompressed, in a row, for every window", arguments: 9...15,
    [false, true])
  func roundTrip(_ bits: Int, _ forgets: Bool) throws {
    var random = SeededGenerator(seed: UInt64(bits))
    let deflater = try #require(Deflater(windowBits: bits, memoryLevel: 5, forgets: forgets))
    let inflater = try #require(Inflater(windowBits: bits, forgets: forgets))
    for length in [0, 1, 31, 500, 70_000, 3, 200_000] {
      let message = (0..<length).map { _ in UInt8.random(in: 0...(length % 2 == 0 ? 255 : 3), using: &random)
      }
      #expect(try inflate(deflate(message, with: deflater), with: inflater) == message)
    }
  }

  @Test(
    "A context that is taken over makes the second of two equal messages small, and one that is not does not")
  func takeOver() throws {
    let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }
    for (forgets, isSmall) in [(false, true), (true, false)] {
      let deflater = try #require(Deflater(windowBits: 12, memoryLevel: 5, forgets: forgets))
      let first = deflate(message, with: deflater).count
      #expect((deflate(message, with: deflater).count < first / 4) == isSmall)
    }
  }

  /// RFC 7692 §7.2.3.1, §7.2.3.2, §7.2.3.3, §7.2.3.4: "Hello" in every way that it can be packed.
  @Test(
    arguments: [
      [[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]],
      [[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], [0xf2, 0x00, 0x11, 0x00, 0x00]],
      [[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]],
      [[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]],
      [[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]],
    ] as [[[UInt8]]])
  func examples(_ messages: [[UInt8]]) throws {
    let inflater = try #require(Inflater(windowBits: 15, forgets: false))
    for message in messages { #expect(try inflate(message, with: inflater) == Array("Hello".utf8)) }
  }

  @Test("What is too long is found when there is no more room, and what is not deflate is refused")
  func limits() throws {
    let bomb = deflate(
      [UInt8](repeating: 0, count: 10_000_000),
      with: try #require(Deflater(windowBits: 15, memoryLevel: 9, forgets: false)))
    #expect(bomb.count < 60_000)
    #expect(throws: Inflater.Failure.tooBig) {
      try inflate(bomb, with: #require(Inflater(windowBits: 15, forgets: false)), room: 65_537)
    }
    #expect(throws: Inflater.Failure.notDeflate) {
      try inflate([0xff, 0xff, 0xff], with: #require(Inflater(windowBits: 15, forgets: false)))
    }
  }

  // MARK: Frames (§6)

  private func steps(_ frames: [UInt8], pieces: [Int]) -> [Seen] {
    var run = MachineRun(.server)
    run.machine.deflates = true
    var rest = frames[...]
    var turn = 0
    while !rest.isEmpty {
      run.feed(rest.prefix(pieces[turn % pieces.count]))
      rest = rest.dropFirst(pieces[turn % pieces.count])
      turn += 1
    }
    return run.seen
  }

  private func compressed(_ opcode: Opcode, _ payload: [UInt8], fin: Bool = true) -> [UInt8] {
    var bytes = frame(opcode, payload, fin: fin, to: .server)
    bytes[0] |= 0x40
    return bytes
  }

  @Test("Only the first frame of a data message may say that it is compressed")
  func reservedBit() {
    let hello: [UInt8] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
    let whole = compressed(.text, hello)
    let cut =
      compressed(.text, [0xf2, 0xff], fin: false) + frame(.ping, [1], to: .server)
      + frame(.continuation, Array(hello[1...]), to: .server)
    for pieces in [[1], [1000], [3, 2]] {
      #expect(steps(whole, pieces: pieces) == [.compressed(hello, isText: true)])
      #expect(
        steps(cut, pieces: pieces) == [.ping([1]), .compressed([0xf2, 0xff] + hello[1...], isText: true)])
      #expect(
        steps(compressed(.binary, []) + whole, pieces: pieces)
          == [.compressed([], isText: false), .compressed(hello, isText: true)])
      #expect(steps(compressed(.ping, []), pieces: pieces) == [.failed(1002)])
      let second = compressed(.text, hello, fin: false) + compressed(.continuation, hello)
      #expect(steps(second, pieces: pieces) == [.failed(1002)])
    }
  }
}
