import Testing

@testable import Reactor

/// What came of a response.
enum ResponseOutcome: Equatable, Sendable {
  case response(
    status: UInt16, interim: Int = 0, content: [UInt8] = [], keepAlive: Bool = true, consumed: Int)
  /// All that came is content, and the connection's end would be the response's.
  case open(content: [UInt8])
  case refused(HTTPError)
  case incomplete
}

/// Plays the connection: holds what is unread, gives it to the parser, drops what was consumed.
private func feedResponse(
  _ bytes: [UInt8], cuts: [Int], answering method: Method, limits: ResponseLimits
) -> ResponseOutcome {
  var parser = ResponseParser(answering: method, limits: limits)
  var content: [UInt8] = []
  var interim = 0
  var position = 0
  do throws(HTTPError) {
    for cut in cuts {
      feeding: while true {
        let unread = Array(bytes[position..<cut])
        switch try step(of: &parser, unread) {
        case .needMore(let consumed):
          position += consumed
          break feeding
        case .interim(let consumed):
          interim += 1
          position += consumed
        case .head(let consumed): position += consumed
        case .content(let range, let consumed):
          content += unread[range]
          position += consumed
        case .end(let consumed):
          return .response(
            status: parser.head.status.rawValue, interim: interim, content: content,
            keepAlive: parser.head.keepAlive, consumed: position + consumed)
        }
      }
    }
  } catch {
    return .refused(error)
  }
  return parser.endsWithConnection ? .open(content: content) : .incomplete
}

private func step(of parser: inout ResponseParser, _ bytes: [UInt8]) throws(HTTPError) -> ResponseStep {
  var parsed: Result<ResponseStep, HTTPError> = .success(.needMore(consumed: 0))
  bytes.withUnsafeBytes { buffer in
    do throws(HTTPError) { parsed = .success(try parser.next(buffer)) } catch { parsed = .failure(error) }
  }
  return try parsed.get()
}

struct ResponseRow: Sendable, CustomTestStringConvertible {
  let rule: String
  let method: Method
  let bytes: [UInt8]
  let expected: ResponseOutcome
  var testDescription: String { rule }

  init(
    _ rule: String, _ text: String, method: Method = .get, status: UInt16 = 200, interim: Int = 0,
    content: String = "", keepAlive: Bool = true
  ) {
    self.rule = rule
    self.method = method
    bytes = latin1(text)
    expected = .response(
      status: status, interim: interim, content: latin1(content), keepAlive: keepAlive, consumed: bytes.count)
  }

  init(_ rule: String, _ text: String, method: Method = .get, refused error: HTTPError) {
    self.rule = rule
    self.method = method
    bytes = latin1(text)
    expected = .refused(error)
  }
}

@Suite("Responses to a client")
struct ResponseParserTests {
  private static let limits = ResponseLimits(contentBytes: 64)

  @Test("However the bytes arrive", arguments: good + bad)
  func everywhere(_ row: ResponseRow) {
    for cuts in chunkings(of: row.bytes.count) {
      let outcome = feedResponse(row.bytes, cuts: cuts, answering: row.method, limits: Self.limits)
      #expect(outcome == row.expected, "cut at \(cuts.first ?? 0)")
    }
    let followed = row.bytes + trailingBytes
    let outcome = feedResponse(followed, cuts: [followed.count], answering: row.method, limits: Self.limits)
    #expect(outcome == row.expected, "with trailing bytes")
  }

  @Test("Every shorter part is incomplete", arguments: good)
  func incomplete(_ row: ResponseRow) {
    for count in 0..<row.bytes.count {
      let part = Array(row.bytes[..<count])
      #expect(
        feedResponse(part, cuts: [count], answering: row.method, limits: Self.limits) == .incomplete)
    }
  }

  @Test("RFC 9112 §6.3: without a length, the connection's end is the content's")
  func untilClose() {
    let head = latin1("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\n")
    for size in [0, 1, 64] {
      let bytes = head + [UInt8](repeating: 0x0D, count: size)
      for cuts in chunkings(of: bytes.count) {
        let outcome = feedResponse(bytes, cuts: cuts, answering: .get, limits: Self.limits)
        #expect(outcome == .open(content: Array(bytes[head.count...])))
      }
    }
    let tooLong = head + [UInt8](repeating: 0x78, count: 65)
    for cuts in chunkings(of: tooLong.count) {
      #expect(
        feedResponse(tooLong, cuts: cuts, answering: .get, limits: Self.limits) == .refused(.contentTooLarge))
    }
  }

  @Test("Limits of the head")
  func headLimits() {
    var limits = Self.limits
    limits.fieldCount = 2
    limits.headBytes = 60
    func outcome(_ text: String) -> ResponseOutcome {
      feedResponse(latin1(text), cuts: [latin1(text).count], answering: .get, limits: limits)
    }
    let ok = "HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 0\r\n"
    #expect(outcome(ok + "\r\n") == .response(status: 200, consumed: ok.utf8.count + 2))
    #expect(outcome(ok + "c: d\r\n\r\n") == .refused(.tooManyFields))
    #expect(outcome("HTTP/1.1 200 " + String(repeating: "x", count: 50)) == .refused(.headTooLarge))
    #expect(outcome(ok + "c: " + String(repeating: "x", count: 50)) == .refused(.headTooLarge))
  }

  @Test("The same bytes give the same outcome, damaged and cut at random")
  func anyChunking() {
    var generator = SeededGenerator(seed: 23)
    for _ in 0..<4_000 {
      guard let row = (good + bad).randomElement(using: &generator) else { return }
      let bytes = damaged(row.bytes, using: &generator)
      let whole = feedResponse(bytes, cuts: [bytes.count], answering: row.method, limits: Self.limits)
      let cuts = randomChunking(of: bytes.count, using: &generator)
      let outcome = feedResponse(bytes, cuts: cuts, answering: row.method, limits: Self.limits)
      #expect(outcome == whole, "\(bytes) cut at \(cuts)")
    }
  }
}

private let good: [ResponseRow] = [
  .init(
    "RFC 9112 §6.2: Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", content: "hello"),
  .init("RFC 9112 §6.2: no content", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", status: 404),
  .init(
    "RFC 9112 §7.1: chunked",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: u\r\n\r\n",
    content: "hello"),
  .init("RFC 9112 §4: no reason", "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n", status: 299),
  .init(
    "RFC 9112 §4: any reason", "HTTP/1.1 200 \u{E9} \tfine\r\ncontent-length: 1\r\n\r\nx", content: "x"),
  .init("RFC 9110 §2.5: a higher minor version", "HTTP/1.9 200 OK\r\ncontent-length: 0\r\n\r\n"),
  .init(
    "RFC 9112 §6.3: HEAD has no content, whatever it says", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
    method: .head),
  .init(
    "RFC 9112 §6.3: HEAD, chunked", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", method: .head),
  .init("RFC 9112 §6.3: HEAD without a length", "HTTP/1.1 200 OK\r\n\r\n", method: .head),
  .init("RFC 9112 §6.3: 204", "HTTP/1.1 204 No Content\r\n\r\n", status: 204),
  .init("RFC 9112 §6.3: 304 with a length", "HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n", status: 304),
  .init(
    "RFC 9110 §15.2: interim responses",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\na: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    interim: 2, content: "x"),
  .init(
    "RFC 9112 §9.3: close", "HTTP/1.1 200 OK\r\nconnection: a, Close\r\ncontent-length: 0\r\n\r\n",
    keepAlive: false),
  .init("RFC 9112 §9.3: HTTP/1.0 ends", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", keepAlive: false),
  .init(
    "RFC 9112 §9.3: HTTP/1.0 stays", "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n"),
]

private let bad: [ResponseRow] = [
  .init("RFC 9112 §4: an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §4: no line at all", "\r\n\r\n", refused: .malformedRequestLine),
  .init("RFC 9112 §4: no code", "HTTP/1.1 \r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §4: no space behind the code", "HTTP/1.1 200\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §4: two digits", "HTTP/1.1 20 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §4: four digits", "HTTP/1.1 2000 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9110 §15: below 100", "HTTP/1.1 099 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9110 §15: above 599", "HTTP/1.1 600 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §2.3: another version", "HTTP/2.0 200 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §2.3: lower case", "http/1.1 200 OK\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §4: short", "x\r\n\r\n", refused: .malformedStatusLine),
  .init("RFC 9112 §2.2: LF alone", "HTTP/1.1 200 OK\n", refused: .bareLineFeed),
  .init("RFC 9112 §2.2: CR alone", "HTTP/1.1 200 OK\rx", refused: .bareCarriageReturn),
  .init("RFC 9110 §5.5: NUL", "HTTP/1.1 200 O\0", refused: .controlCharacter),
  .init("RFC 9112 §5.2: folded", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", refused: .foldedField),
  .init(
    "RFC 9112 §6.3: two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
    refused: .repeatedContentLength),
  .init(
    "RFC 9112 §6.3: no number", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    refused: .invalidContentLength),
  .init(
    "RFC 9112 §6.3: both framings",
    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", refused: .ambiguousLength),
  .init(
    "RFC 9112 §6.1: chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    refused: .transferEncodingInOldVersion),
  .init(
    "RFC 9112 §6.1: a coding that is not decoded", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
    refused: .invalidTransferEncoding),
  .init(
    "Too long by announcement", "HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n", refused: .contentTooLarge),
  .init(
    "Too long by chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n41\r\n",
    refused: .contentTooLarge),
  .init("RFC 9110 §7.8: an upgrade unasked", "HTTP/1.1 101 \r\nupgrade: x\r\n\r\n", refused: .unaskedUpgrade),
]
