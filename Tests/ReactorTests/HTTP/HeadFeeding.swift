import Testing

@testable import Reactor

/// What a head means, without its single fields. The defaults are those of `GET / HTTP/1.1` to `example.com`.
struct Meaning: Equatable, Sendable {
  var method = Method.get
  var path = "/"
  var query: String?
  var authority = "example.com"
  var minorVersion: UInt8 = 1
  var framing = BodyFraming.none
  var keepAlive = true
  var expectsContinue = false
  var upgradesToWebSocket = false
  var prefersServerTiming = false
}

enum HeadOutcome: Equatable, Sendable {
  case head(Meaning, fields: [String], length: Int)
  case refused(HTTPError)
  case incomplete
}

/// Gives the parser ever more of the bytes, up to each cut, until it answers.
func feedHead(_ bytes: [UInt8], cuts: [Int], limits: HeadLimits = HeadLimits()) -> HeadOutcome {
  var parser = RequestParser()
  var head = RequestHead()
  for cut in cuts {
    // A copy of its own: an access beyond the bytes that have arrived cannot find the later ones.
    let arrived = Array(bytes[..<cut])
    let outcome = arrived.withUnsafeBytes { buffer in
      answer(of: &parser, buffer, head: &head, limits: limits)
    }
    if outcome != .incomplete { return outcome }
  }
  return .incomplete
}

private func answer(
  of parser: inout RequestParser, _ bytes: UnsafeRawBufferPointer, head: inout RequestHead, limits: HeadLimits
) -> HeadOutcome {
  do throws(HTTPError) {
    switch try parser.next(bytes, into: &head, limits: limits) {
    case .needMore: return .incomplete
    case .head(let length): return .head(Meaning(head, bytes), fields: head.lines(bytes), length: length)
    }
  } catch {
    return .refused(error)
  }
}

extension Meaning {
  init(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
    func text(_ range: ByteRange) -> String { String(decoding: bytes[range.range], as: UTF8.self) }
    self.init(
      method: head.method, path: text(head.path), query: head.query.map(text),
      authority: text(head.authority),
      minorVersion: head.minorVersion, framing: head.framing, keepAlive: head.keepAlive,
      expectsContinue: head.expectsContinue, upgradesToWebSocket: head.upgradesToWebSocket,
      prefersServerTiming: head.prefersServerTiming)
  }
}

extension RequestHead {
  fileprivate func lines(_ bytes: UnsafeRawBufferPointer) -> [String] {
    fields.map { field in
      String(decoding: bytes[field.name.range], as: UTF8.self) + "="
        + String(decoding: bytes[field.value.range], as: UTF8.self)
    }
  }
}

/// One row: bytes that end where the head ends or is refused, and what must come of them.
struct HeadRow: Sendable, CustomTestStringConvertible {
  let rule: String
  let bytes: [UInt8]
  let expected: HeadOutcome
  var testDescription: String { rule }

  /// A head that is accepted; `fields` are checked if they are given.
  init(_ rule: String, _ text: String, _ meaning: Meaning) {
    self.rule = rule
    bytes = latin1(text)
    expected = .head(meaning, fields: [], length: bytes.count)
  }

  init(_ rule: String, _ text: String, refused error: HTTPError) {
    self.rule = rule
    bytes = latin1(text)
    expected = .refused(error)
  }
}

extension HeadOutcome {
  var withoutFields: HeadOutcome {
    switch self {
    case .head(let meaning, _, let length): .head(meaning, fields: [], length: length)
    case .refused, .incomplete: self
    }
  }
}

/// Bytes of every dangerous kind behind a head: they belong to somebody else and must not be looked at.
let trailingBytes = latin1("GET /next HTTP/1.1\r\n\0\n\r\u{FF} :")

func expectEverywhere(
  _ row: HeadRow, limits: HeadLimits = HeadLimits(), sourceLocation: SourceLocation = #_sourceLocation
) {
  for cuts in chunkings(of: row.bytes.count) {
    let outcome = feedHead(row.bytes, cuts: cuts, limits: limits).withoutFields
    #expect(outcome == row.expected, "cut at \(cuts.first ?? 0)", sourceLocation: sourceLocation)
  }
  let followed = row.bytes + trailingBytes
  let outcome = feedHead(followed, cuts: [followed.count], limits: limits).withoutFields
  #expect(outcome == row.expected, "with trailing bytes", sourceLocation: sourceLocation)
}

/// `POST / HTTP/1.1` with a good Host and these further lines.
func post(_ lines: String) -> String { "POST / HTTP/1.1\r\nHost: example.com\r\n\(lines)\r\n\r\n" }
func get(_ lines: String) -> String { "GET / HTTP/1.1\r\nHost: example.com\r\n\(lines)\r\n\r\n" }
func old(_ lines: String) -> String { "GET / HTTP/1.0\r\nHost: example.com\r\n\(lines)\r\n\r\n" }
