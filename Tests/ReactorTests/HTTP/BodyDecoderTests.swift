import Testing

@testable import Reactor

/// What came of a body: its content and how many bytes it took.
enum BodyOutcome: Equatable, Sendable {
  case content([UInt8], consumed: Int)
  case refused(HTTPError)
  case incomplete
}

/// Plays the connection: holds what is unread, gives it to the decoder, drops what was consumed.
func feedBody(_ framing: BodyFraming, _ bytes: [UInt8], cuts: [Int], limits: BodyLimits) -> BodyOutcome {
  do throws(HTTPError) {
    var decoder = try BodyDecoder(framing, limits: limits)
    var content: [UInt8] = []
    var position = 0
    for cut in cuts {
      while true {
        let unread = Array(bytes[position..<cut])
        switch try step(of: &decoder, unread) {
        case .needMore(let consumed):
          #expect(consumed == unread.count)
          position += consumed
        case .data(let range, let consumed):
          #expect(range.upperBound <= consumed && !range.isEmpty)
          content += unread[range]
          position += consumed
          continue
        case .end(let consumed):
          return .content(content, consumed: position + consumed)
        }
        break
      }
    }
    return .incomplete
  } catch {
    return .refused(error)
  }
}

private func step(of decoder: inout BodyDecoder, _ bytes: [UInt8]) throws(HTTPError) -> BodyStep {
  var decoded: Result<BodyStep, HTTPError> = .success(.needMore(consumed: 0))
  bytes.withUnsafeBytes { buffer in
    do throws(HTTPError) { decoded = .success(try decoder.next(buffer)) } catch { decoded = .failure(error) }
  }
  return try decoded.get()
}

struct BodyRow: Sendable, CustomTestStringConvertible {
  let rule: String
  let framing: BodyFraming
  let bytes: [UInt8]
  let expected: BodyOutcome
  var testDescription: String { rule }

  init(_ rule: String, _ text: String, framing: BodyFraming = .chunked, content: String) {
    self.rule = rule
    self.framing = framing
    bytes = latin1(text)
    expected = .content(latin1(content), consumed: bytes.count)
  }

  init(_ rule: String, _ text: String, framing: BodyFraming = .chunked, refused error: HTTPError) {
    self.rule = rule
    self.framing = framing
    bytes = latin1(text)
    expected = .refused(error)
  }
}

func expectEverywhere(
  _ row: BodyRow, limits: BodyLimits, sourceLocation: SourceLocation = #_sourceLocation
) {
  for cuts in chunkings(of: row.bytes.count) {
    let outcome = feedBody(row.framing, row.bytes, cuts: cuts, limits: limits)
    #expect(outcome == row.expected, "cut at \(cuts.first ?? 0)", sourceLocation: sourceLocation)
  }
  let followed = row.bytes + trailingBytes
  let outcome = feedBody(row.framing, followed, cuts: [followed.count], limits: limits)
  #expect(outcome == row.expected, "with trailing bytes", sourceLocation: sourceLocation)
}

@Suite("Request bodies")
struct BodyDecoderTests {
  private static let limits = BodyLimits(contentBytes: 64)

  @Test("Content, however the bytes arrive", arguments: goodBodies)
  func accepted(_ row: BodyRow) {
    expectEverywhere(row, limits: Self.limits)
  }

  @Test("Every shorter part of a body is incomplete", arguments: goodBodies)
  func incomplete(_ row: BodyRow) {
    for count in 0..<row.bytes.count {
      let part = Array(row.bytes[..<count])
      #expect(feedBody(row.framing, part, cuts: [count], limits: Self.limits) == .incomplete)
    }
  }

  @Test("Refusals, however the bytes arrive", arguments: badBodies)
  func refused(_ row: BodyRow) {
    expectEverywhere(row, limits: Self.limits)
  }

  @Test("RFC 9110 §15.5.14: an announced length beyond the limit is refused before a byte of it came")
  func announcedLength() {
    #expect(throws: HTTPError.contentTooLarge) { try BodyDecoder(.length(65), limits: Self.limits) }
    #expect(throws: HTTPError.contentTooLarge) { try BodyDecoder(.length(.max), limits: Self.limits) }
    #expect(throws: Never.self) { try BodyDecoder(.length(64), limits: Self.limits) }
  }

  @Test("RFC 9112 §7.1.1: one chunk line is limited")
  func chunkLine() {
    let limits = BodyLimits(contentBytes: 64, chunkLineBytes: 8)
    expectEverywhere(BodyRow("fits", "1;abcde\r\nx\r\n0\r\n\r\n", content: "x"), limits: limits)
    expectEverywhere(BodyRow("too long", "1;abcdef\r\n", refused: .chunkLineTooLong), limits: limits)
    expectEverywhere(BodyRow("too long", "000000001", refused: .chunkLineTooLong), limits: limits)
  }

  @Test("RFC 9112 §7.1.1: all extensions together are limited")
  func allExtensions() {
    let limits = BodyLimits(contentBytes: 64, extensionBytes: 8)
    let chunk = "1;abc\r\nx\r\n"
    expectEverywhere(BodyRow("fits", chunk + chunk + "0\r\n\r\n", content: "xx"), limits: limits)
    expectEverywhere(
      BodyRow("too many", chunk + chunk + chunk, refused: .chunkExtensionsTooLarge), limits: limits)
  }

  @Test("RFC 9112 §7.1.2: the trailer section is limited")
  func trailers() {
    let limits = BodyLimits(contentBytes: 64, trailerBytes: 8)
    expectEverywhere(BodyRow("fits", "0\r\nA: b\r\n\r\n", content: ""), limits: limits)
    expectEverywhere(BodyRow("too large", "0\r\nA: bc\r\n\r\n", refused: .trailersTooLarge), limits: limits)
  }

  @Test("The same bytes give the same outcome, damaged and cut at random")
  func anyChunking() {
    var generator = SeededGenerator(seed: 71)
    let rows = goodBodies + badBodies
    for _ in 0..<4_000 {
      guard let row = rows.randomElement(using: &generator) else { return }
      let bytes = damaged(row.bytes, using: &generator)
      let limits = BodyLimits(
        contentBytes: Int.random(in: 0...24, using: &generator), chunkLineBytes: 24, extensionBytes: 32,
        trailerBytes: 24)
      let whole = feedBody(row.framing, bytes, cuts: [bytes.count], limits: limits)
      let cuts = randomChunking(of: bytes.count, using: &generator)
      #expect(feedBody(row.framing, bytes, cuts: cuts, limits: limits) == whole, "\(bytes) cut at \(cuts)")
    }
  }

  @Test("Random content in random chunks comes out as it went in")
  func roundTrip() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      var content: [UInt8] = []
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        let size = Int.random(in: 1...300, using: &generator)
        let chunk = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes += latin1(String(size, radix: 16, uppercase: Bool.random(using: &generator)) + "\r\n")
        bytes += chunk + latin1("\r\n")
        content += chunk
      }
      bytes += latin1("0\r\n\r\n")
      let cuts = randomChunking(of: bytes.count, using: &generator)
      let outcome = feedBody(.chunked, bytes, cuts: cuts, limits: BodyLimits(contentBytes: 1_500))
      #expect(outcome == .content(content, consumed: bytes.count))
    }
  }
}

private let goodBodies: [BodyRow] = [
  BodyRow("RFC 9112 §6.3: no content", "", framing: .none, content: ""),
  BodyRow("RFC 9112 §6.2: Content-Length", "hello", framing: .length(5), content: "hello"),
  BodyRow(
    "RFC 9112 §6.2: content is any byte", "\0\r\n\n\u{FF}0\r\n", framing: .length(8),
    content: "\0\r\n\n\u{FF}0\r\n"),
  BodyRow("RFC 9112 §7.1: only the last chunk", "0\r\n\r\n", content: ""),
  BodyRow("RFC 9112 §7.1: one chunk", "5\r\nhello\r\n0\r\n\r\n", content: "hello"),
  BodyRow("RFC 9112 §7.1: two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", content: "hello world"),
  BodyRow("RFC 9112 §7.1: data that looks like framing", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", content: "0\r\n\r\n"),
  BodyRow("RFC 9112 §7.1: upper case", "A\r\nhelloworld\r\n0\r\n\r\n", content: "helloworld"),
  BodyRow("RFC 9112 §7.1: lower case", "a\r\nhelloworld\r\n0\r\n\r\n", content: "helloworld"),
  BodyRow("RFC 9112 §7.1: two digits", "10\r\n0123456789abcdef\r\n0\r\n\r\n", content: "0123456789abcdef"),
  BodyRow("RFC 9112 §7.1: leading zeros, 16 digits", "0000000000000001\r\nx\r\n000\r\n\r\n", content: "x"),
  BodyRow("RFC 9112 §7.1.1: an extension", "1;a\r\nx\r\n0\r\n\r\n", content: "x"),
  BodyRow("RFC 9112 §7.1.1: with a value", "1;a=b\r\nx\r\n0;c=d\r\n\r\n", content: "x"),
  BodyRow("RFC 9112 §7.1.1: several", "1;a=b;c;d=e\r\nx\r\n0\r\n\r\n", content: "x"),
  BodyRow("RFC 9112 §7.1.1: a quoted value", "1;a=\"b;c\\\"\t\u{80}\"\r\nx\r\n0\r\n\r\n", content: "x"),
  BodyRow("RFC 9112 §7.1.1: a quoted value and another", "1;a=\"\";b\r\nx\r\n0\r\n\r\n", content: "x"),
  BodyRow(
    "RFC 9112 §7.1.1: whitespace around the signs", "1 ; a\t= b ;\tc = \"d\" ;e\r\nx\r\n0\r\n\r\n",
    content: "x"),
  BodyRow("RFC 9112 §7.1.2: a trailer", "0\r\nA: b\r\n\r\n", content: ""),
  BodyRow("RFC 9112 §7.1.2: trailers", "1\r\nx\r\n0\r\nA: b\r\nC:\r\nD: \t\u{80} \r\n\r\n", content: "x"),
  BodyRow(
    "RFC 9110 §6.5.1: trailers that would reframe are dropped with the others",
    "0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: a\r\n\r\n", content: ""),
]

private let badBodies: [BodyRow] = [
  BodyRow("RFC 9112 §7.1: no size", "\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: not a digit", "g\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: prefix", "0x5\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: plus", "+5\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: minus", "-1\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: underscore", "1_0\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: a space before", " 5\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: a space behind", "5 \r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: a tab behind", "5\t\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: a space behind the last size", "0 \r\n\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: NUL", "5\0\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: 17 digits", "FFFFFFFFFFFFFFFF0\r\n", refused: .chunkSizeTooLarge),
  BodyRow("RFC 9112 §7.1: 17 zeros", "00000000000000000\r\n\r\n", refused: .chunkSizeTooLarge),
  BodyRow("RFC 9112 §7.1: out of range", "8000000000000000\r\n", refused: .chunkSizeTooLarge),
  BodyRow("RFC 9112 §7.1: just in range, and too large", "7FFFFFFFFFFFFFFF\r\n", refused: .contentTooLarge),
  BodyRow("RFC 9110 §15.5.14: one byte too many", "41\r\n", refused: .contentTooLarge),
  BodyRow(
    "RFC 9110 §15.5.14: one byte too many in all",
    "40\r\n" + String(repeating: "x", count: 64) + "\r\n1\r\n", refused: .contentTooLarge),
  BodyRow("RFC 9112 §2.2: LF ends the size", "5\nhello\r\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: CR ends the size", "5\rhello\r\n", refused: .bareCarriageReturn),
  BodyRow("RFC 9112 §2.2: LF ends the data", "5\r\nhello\n0\r\n\r\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: CR ends the data", "5\r\nhello\r0\r\n\r\n", refused: .bareCarriageReturn),
  BodyRow("RFC 9112 §7.1: nothing ends the data", "5\r\nhello0\r\n\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1: the data are longer", "5\r\nhello!!\r\n0\r\n\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: no name", "5;\r\nhello\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: no name in the second", "5;a;\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: two signs", "5;;a\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: no value", "5;a=\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: a value without name", "5;=b\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: two values", "5;a=b=c\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: two values apart", "5;a=b =c\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: two names", "5;a b\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: not a token", "5;bad[=x\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: a value that is no token", "5;a=b[\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: an open quote", "5;a=\"b\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: text behind a quote", "5;a=\"b\"c\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: an escaped control character", "5;a=\"\\\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: a space before the end", "5;a \r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: a space before the end of a value", "5;a=b \r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §7.1.1: NUL", "5;a\0\r\n", refused: .malformedChunk),
  BodyRow("RFC 9112 §2.2: LF in an extension", "5;\nhello\r\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: LF in a quote", "5;a=\"\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: CR in an extension", "5;a\rb\r\n", refused: .bareCarriageReturn),
  BodyRow("RFC 9112 §7.1.2: a trailer without colon", "0\r\nAB\r\n\r\n", refused: .invalidFieldName),
  BodyRow("RFC 9112 §7.1.2: a trailer without name", "0\r\n: b\r\n\r\n", refused: .invalidFieldName),
  BodyRow("RFC 9112 §7.1.2: a trailer that is no token", "0\r\nA[: b\r\n\r\n", refused: .invalidFieldName),
  BodyRow(
    "RFC 9112 §5.1: a space before a trailer's colon", "0\r\nA : b\r\n\r\n", refused: .whitespaceBeforeColon),
  BodyRow("RFC 9112 §5.2: a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", refused: .foldedField),
  BodyRow("RFC 9110 §5.5: NUL in a trailer", "0\r\nA: b\0\r\n\r\n", refused: .controlCharacter),
  BodyRow("RFC 9112 §2.2: LF ends a trailer", "0\r\nA: b\n\r\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: LF in a trailer's name", "0\r\nA\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: CR in a trailer", "0\r\nA: b\rc\r\n\r\n", refused: .bareCarriageReturn),
  BodyRow("RFC 9112 §2.2: LF ends the body", "0\r\n\n", refused: .bareLineFeed),
  BodyRow("RFC 9112 §2.2: CR ends the body", "0\r\n\rX", refused: .bareCarriageReturn),
]
