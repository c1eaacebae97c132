import Testing

@testable import Reactor

@Suite("Responses")
struct ResponseEncoderTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let rule: String
    var method = Method.get
    var minorVersion: UInt8 = 1
    var keepsAlive = true
    let response: Response
    let expected: String
    var testDescription: String { rule }
  }

  @Test("Written", arguments: rows)
  func written(_ row: Row) {
    let encoder = ResponseEncoder(
      method: row.method, minorVersion: row.minorVersion, keepsAlive: row.keepsAlive)
    var sink: [UInt8] = []
    encoder.write(row.response, date: HTTPDate(unixSeconds: 784_111_777), into: &sink)
    let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    #expect(String(decoding: sink, as: UTF8.self) == row.expected.replacing("<date>", with: date))
  }

  @Test("The head alone ends before the content")
  func headAlone() {
    let encoder = ResponseEncoder(method: .get, minorVersion: 1, keepsAlive: true)
    let date = HTTPDate(unixSeconds: 0)
    var head: [UInt8] = []
    var whole: [UInt8] = []
    let response = Response(.ok, body: Array("hello".utf8))
    encoder.writeHead(of: response, date: date, into: &head)
    encoder.write(response, date: date, into: &whole)
    #expect(whole == head + Array("hello".utf8))
  }

  @Test("RFC 9110 §5.5: a field that could split the response is dropped", arguments: badFields)
  func dropped(_ field: Response.Field) {
    var sink: [UInt8] = []
    let encoder = ResponseEncoder(method: .get, minorVersion: 1, keepsAlive: true)
    encoder.write(Response(.ok, fields: [field]), date: HTTPDate(unixSeconds: 0), into: &sink)
    var plain: [UInt8] = []
    encoder.write(Response(.ok), date: HTTPDate(unixSeconds: 0), into: &plain)
    #expect(sink == plain)
  }

  @Test("The answer's form follows the request")
  func answering() {
    let bytes = latin1("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    var parser = RequestParser()
    var head = RequestHead()
    _ = bytes.withUnsafeBytes { try? parser.next($0, into: &head, limits: HeadLimits()) }
    let encoder = ResponseEncoder(answering: head)
    #expect(encoder.isHead && encoder.isOldVersion && encoder.keepsAlive)
    #expect(encoder.persists(after: Response(.ok)))
    var last = Response(.ok)
    last.closes = true
    #expect(!encoder.persists(after: last))
    #expect(!ResponseEncoder.refusal.persists(after: Response(.badRequest)))
    #expect(ResponseEncoder.refusal.sendsContent(of: Response(.badRequest)))
  }

  @Test("RFC 9110 §15.2.1: 100 Continue")
  func interim() {
    var sink: [UInt8] = []
    sink.append(ResponseEncoder.continue)
    #expect(sink == latin1("HTTP/1.1 100 Continue\r\n\r\n"))
  }

  @Test("RFC 9112 §7.1: chunks, and an empty one is none", arguments: [1, 15, 16, 255, 65_536])
  func chunks(_ count: Int) {
    let content = [UInt8](repeating: 0x78, count: count)
    var sink: [UInt8] = []
    content.withUnsafeBytes { ChunkedEncoder.write($0, into: &sink) }
    ChunkedEncoder.write(UnsafeRawBufferPointer(start: nil, count: 0), into: &sink)
    sink.append(ChunkedEncoder.end)
    #expect(sink == latin1(String(count, radix: 16) + "\r\n") + content + latin1("\r\n0\r\n\r\n"))
  }

  @Test("Numbers in decimal", arguments: [0, 9, 10, 1_234_567_890, -1, .max, .min])
  func decimal(_ number: Int) {
    var sink: [UInt8] = []
    sink.append(decimal: number)
    #expect(sink == Array("\(number)".utf8))
  }
}

private func closing(_ status: Status) -> Response {
  var response = Response(status)
  response.closes = true
  return response
}

private let hello = Array("hello".utf8)

private let rows: [ResponseEncoderTests.Row] = [
  .init(
    rule: "RFC 9112 §4: status line, date, length, content", response: Response(.ok, body: hello),
    expected: "HTTP/1.1 200 OK\r\n<date>content-length: 5\r\n\r\nhello"),
  .init(
    rule: "RFC 9110 §8.6: no content still has a length", response: Response(.created),
    expected: "HTTP/1.1 201 Created\r\n<date>content-length: 0\r\n\r\n"),
  .init(
    rule: "Fields of the handler, in their order",
    response: Response(.ok, fields: [.init("a", "b"), .init("Set-Cookie", "c=\u{E9}"), .init("x", "")]),
    expected: "HTTP/1.1 200 OK\r\n<date>a: b\r\nSet-Cookie: c=\u{E9}\r\nx: \r\ncontent-length: 0\r\n\r\n"),
  .init(
    rule: "RFC 9110 §9.3.2: HEAD has GET's length and no content", method: .head,
    response: Response(.ok, body: hello),
    expected: "HTTP/1.1 200 OK\r\n<date>content-length: 5\r\n\r\n"),
  .init(
    rule: "RFC 9110 §15.3.5: 204 has neither", response: Response(.noContent, body: hello),
    expected: "HTTP/1.1 204 No Content\r\n<date>\r\n"),
  .init(
    rule: "RFC 9110 §15.4.5: 304 has no content",
    response: Response(.notModified, fields: [.init("etag", "\"1\"")]),
    expected: "HTTP/1.1 304 Not Modified\r\n<date>etag: \"1\"\r\n\r\n"),
  .init(
    rule: "RFC 9110 §15.2: 1xx has neither date nor length; §7.8: Upgrade comes with the option",
    response: Response(.switchingProtocols, fields: [.init("Upgrade", "websocket")]),
    expected: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
  .init(
    rule: "RFC 9112 §9.6: the client closes", keepsAlive: false, response: Response(.ok),
    expected: "HTTP/1.1 200 OK\r\n<date>content-length: 0\r\nconnection: close\r\n\r\n"),
  .init(
    rule: "RFC 9112 §9.6: the server closes", response: closing(.badRequest),
    expected: "HTTP/1.1 400 Bad Request\r\n<date>content-length: 0\r\nconnection: close\r\n\r\n"),
  .init(
    rule: "RFC 9110 §15.5.22: 426 names the protocol, and closes", keepsAlive: false,
    response: Response(.upgradeRequired, fields: [.init("upgrade", "websocket")]),
    expected: "HTTP/1.1 426 Upgrade Required\r\n<date>upgrade: websocket\r\n"
      + "content-length: 0\r\nconnection: close, upgrade\r\n\r\n"),
  .init(
    rule: "RFC 9112 §9.3: an HTTP/1.0 client that stays is told", minorVersion: 0, response: Response(.ok),
    expected: "HTTP/1.1 200 OK\r\n<date>content-length: 0\r\nconnection: keep-alive\r\n\r\n"),
  .init(
    rule: "RFC 9112 §9.3: an HTTP/1.0 client that goes", minorVersion: 0, keepsAlive: false,
    response: Response(.ok),
    expected: "HTTP/1.1 200 OK\r\n<date>content-length: 0\r\nconnection: close\r\n\r\n"),
  .init(
    rule: "RFC 9112 §4: a code without a reason keeps its space", response: Response(Status(rawValue: 299)),
    expected: "HTTP/1.1 299 \r\n<date>content-length: 0\r\n\r\n"),
]

private let badFields: [Response.Field] = [
  .init("Content-Length", "99"), .init("connection", "close"), .init("Date", "now"),
  .init("TRANSFER-ENCODING", "chunked"), .init("", "b"), .init("a b", "c"), .init("a:", "b"),
  .init("a\r\nb", "c"),
  .init("\u{E9}", "b"), .init("a", "b\r\nc: d"), .init("a", "b\nc"), .init("a", "b\rc"), .init("a", "b\0"),
  .init("a-name-that-is-longer-than-a-small-string", "and a value that is, too, with\r\nan end of line"),
]
