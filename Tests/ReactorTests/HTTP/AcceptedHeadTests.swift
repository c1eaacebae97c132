import Testing

@testable import Reactor

@Suite("Request heads that are accepted")
struct AcceptedHeadTests {
  @Test("However the bytes arrive", arguments: requestLines + targets + framings + connections)
  func accepted(_ row: HeadRow) {
    expectEverywhere(row)
  }

  @Test("Every shorter part is only the beginning", arguments: requestLines + targets + framings)
  func beginning(_ row: HeadRow) {
    for count in 0..<row.bytes.count {
      #expect(feedHead(Array(row.bytes[..<count]), cuts: [count]) == .incomplete, "\(count) bytes")
    }
  }

  @Test("RFC 9112 §5.1: OWS around a value is not part of it", arguments: valueRows)
  func value(line: String, expected: String) {
    let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n")
    for cuts in chunkings(of: bytes.count) {
      let outcome = feedHead(bytes, cuts: cuts)
      #expect(
        outcome == .head(Meaning(authority: "a"), fields: ["Host=a", expected], length: bytes.count))
    }
  }

  @Test("RFC 9110 §5.5: bytes from 0x80 pass in a value as they are")
  func opaqueBytes() {
    let bytes = latin1(get("X: \u{80}\u{FF}"))
    var parser = RequestParser()
    var head = RequestHead()
    bytes.withUnsafeBytes { buffer in
      #expect(throws: Never.self) { try parser.next(buffer, into: &head, limits: HeadLimits()) }
      #expect(head.bytes(of: "x", in: buffer).map(Array.init) == [0x80, 0xFF])
    }
  }

  @Test("A parser takes request after request, and the fields keep their storage")
  func reuse() throws {
    var parser = RequestParser()
    var head = RequestHead()
    let first = latin1(post("Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close"))
    let second = latin1("\r\n" + get("Accept: */*"))
    let length = try first.withUnsafeBytes { try parser.next($0, into: &head, limits: HeadLimits()) }
    #expect(length == .head(length: first.count))
    let storage = head.fields.withUnsafeBufferPointer { $0.baseAddress }
    try second.withUnsafeBytes { buffer in
      let step = try parser.next(buffer, into: &head, limits: HeadLimits())
      #expect(step == .head(length: second.count))
      #expect(Meaning(head, buffer) == Meaning())
    }
    #expect(head.fields.withUnsafeBufferPointer { $0.baseAddress } == storage)
  }

  @Test("After a refusal the parser begins anew")
  func reuseAfterRefusal() {
    var parser = RequestParser()
    var head = RequestHead()
    let begun = latin1("GET /a/long/path HTTP/1.1\r\nA: b")
    let good = latin1("\r\nGET / HTTP/1.0\r\n\r\n")
    for bad in [begun + [0], begun + latin1("\r\n\r\n")] {
      #expect(step(of: &parser, begun, &head) == .needMore)
      #expect(step(of: &parser, bad, &head) == nil)
      #expect(step(of: &parser, good, &head) == .head(length: good.count))
    }
  }

  @Test("Bytes that were seen are not looked at again: a head in small pieces costs no more than a whole one")
  func resumption() {
    var parser = RequestParser()
    var head = RequestHead()
    var bytes = latin1("GET / HTTP/1.1\r\nHost: a")
    #expect(step(of: &parser, bytes, &head) == .needMore)
    for i in bytes.indices { bytes[i] = 0 }
    #expect(step(of: &parser, bytes + latin1("\r\nA: b"), &head) == .needMore)
  }

  private func step(of parser: inout RequestParser, _ bytes: [UInt8], _ head: inout RequestHead) -> HeadStep?
  {
    bytes.withUnsafeBytes { try? parser.next($0, into: &head, limits: HeadLimits()) }
  }
}

private let requestLines: [HeadRow] = [
  HeadRow("RFC 9112 §3: the simplest request", get("A: b"), Meaning()),
  HeadRow("RFC 9112 §3: no further fields", "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning()),
  HeadRow("RFC 9112 §2.2: an empty line before the request line is skipped", "\r\n" + get("A: b"), Meaning()),
  HeadRow("RFC 9110 §9: HEAD", "HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .head)),
  HeadRow("RFC 9110 §9: POST", "POST / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .post)),
  HeadRow("RFC 9110 §9: PUT", "PUT / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .put)),
  HeadRow("RFC 5789: PATCH", "PATCH / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .patch)),
  HeadRow("RFC 9110 §9: DELETE", "DELETE / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .delete)),
  HeadRow(
    "RFC 9110 §9: OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .options)),
  HeadRow("RFC 9110 §9: TRACE", "TRACE / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .trace)),
  HeadRow(
    "RFC 9110 §9.1: methods have case", "get / HTTP/1.1\r\nHost: example.com\r\n\r\n", Meaning(method: .other)
  ),
  HeadRow(
    "RFC 9110 §9.1: another method", "BASELINE-CONTROL / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(method: .other)),
  HeadRow(
    "RFC 9110 §9.1: longer than a known one", "GETS / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(method: .other)),
  HeadRow(
    "RFC 9110 §5.6.2: every kind of token character",
    "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(method: .other)),
  HeadRow(
    "RFC 9110 §2.5: a higher minor version is read as 1.1", "GET / HTTP/1.2\r\nHost: example.com\r\n\r\n",
    Meaning()),
  HeadRow("RFC 9110 §2.5: 1.9, too", "GET / HTTP/1.9\r\nHost: example.com\r\n\r\n", Meaning()),
  HeadRow(
    "RFC 9112 §3.2: HTTP/1.0 may lack Host", "GET / HTTP/1.0\r\n\r\n",
    Meaning(authority: "", minorVersion: 0, keepAlive: false)),
  HeadRow("RFC 9112 §5: names have no case", "GET / HTTP/1.1\r\nhOsT: example.com\r\n\r\n", Meaning()),
  HeadRow("RFC 9112 §5.1: no space after the colon", "GET / HTTP/1.1\r\nHost:example.com\r\n\r\n", Meaning()),
]

private let targets: [HeadRow] = [
  HeadRow(
    "RFC 9112 §3.2.1: path and query", "GET /a/b?x=1&y=2 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(path: "/a/b", query: "x=1&y=2")),
  HeadRow(
    "RFC 3986 §3.4: a query may be empty", "GET /a? HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(path: "/a", query: "")),
  HeadRow(
    "RFC 3986 §3.4: a query may hold ? and /", "GET /a?b?c/d HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(path: "/a", query: "b?c/d")),
  HeadRow(
    "RFC 9112 §3.2.1: two slashes are a path", "GET //b HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(path: "//b")),
  HeadRow(
    "RFC 3986 §2.1: percent-encoding stays as it is", "GET /%2F%zz HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(path: "/%2F%zz")),
  HeadRow(
    "WHATWG URL: browsers leave these alone", "GET /a|b?c{d}^`\" HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(path: "/a|b", query: "c{d}^`\"")),
  HeadRow(
    "RFC 9112 §3.2.2: absolute-form, whose authority wins",
    "GET http://a.org:80/p?q HTTP/1.1\r\nHost: b.org\r\n\r\n",
    Meaning(path: "/p", query: "q", authority: "a.org:80")),
  HeadRow(
    "RFC 9110 §4.2.3: its empty path is /", "GET http://a.org HTTP/1.1\r\nHost: a.org\r\n\r\n",
    Meaning(authority: "a.org")),
  HeadRow(
    "RFC 9110 §4.2.3: its empty path is / before a query, too",
    "GET http://a.org?q=/ HTTP/1.1\r\nHost: a.org\r\n\r\n",
    Meaning(query: "q=/", authority: "a.org")),
  HeadRow(
    "RFC 3986 §3.1: a scheme has no case", "GET HTTPS://a.org/ HTTP/1.1\r\nHost: a.org\r\n\r\n",
    Meaning(authority: "a.org")),
  HeadRow(
    "RFC 9112 §3.2.2: then Host may even be empty", "GET http://a.org/ HTTP/1.1\r\nHost:\r\n\r\n",
    Meaning(authority: "a.org")),
  HeadRow(
    "RFC 9112 §3.2.2: in HTTP/1.0 without Host", "GET http://a.org/ HTTP/1.0\r\n\r\n",
    Meaning(authority: "a.org", minorVersion: 0, keepAlive: false)),
  HeadRow(
    "RFC 9112 §3.2.4: asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n",
    Meaning(method: .options, path: "*")),
  HeadRow(
    "RFC 9110 §7.2: a target without authority goes with an empty Host",
    "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
    Meaning(method: .options, path: "*", authority: "")),
  HeadRow(
    "RFC 9112 §3.2.4: OPTIONS for the server as a whole, in absolute-form",
    "OPTIONS http://a.org HTTP/1.1\r\nHost: a.org\r\n\r\n",
    Meaning(method: .options, path: "", authority: "a.org")),
  HeadRow(
    "RFC 9110 §9.3.7: and for what is at /", "OPTIONS http://a.org/ HTTP/1.1\r\nHost: a.org\r\n\r\n",
    Meaning(method: .options, authority: "a.org")),
  HeadRow(
    "RFC 9112 §3.2.3: authority-form", "CONNECT a.org:443 HTTP/1.1\r\nHost: a.org\r\n\r\n",
    Meaning(method: .connect, path: "", authority: "a.org:443")),
  HeadRow(
    "RFC 9110 §7.2: an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    Meaning(authority: "[::1]:8080")),
]

private let framings: [HeadRow] = [
  HeadRow(
    "RFC 9112 §6.3: neither field means no content", post("A: b"), Meaning(method: .post)),
  HeadRow(
    "RFC 9110 §8.6: Content-Length", post("Content-Length: 5"), Meaning(method: .post, framing: .length(5))),
  HeadRow("RFC 9110 §8.6: zero is no content", post("Content-Length: 0"), Meaning(method: .post)),
  HeadRow(
    "RFC 9110 §8.6: leading zeros are digits", post("Content-Length: 0200"),
    Meaning(method: .post, framing: .length(200))),
  HeadRow(
    "RFC 9110 §8.6: the greatest number there is", post("Content-Length: 9223372036854775807"),
    Meaning(method: .post, framing: .length(.max))),
  HeadRow(
    "RFC 9110 §5.5: OWS around the length", post("Content-Length:\t 5 \t"),
    Meaning(method: .post, framing: .length(5))),
  HeadRow(
    "RFC 9110 §9.3.1: a GET with content is framed all the same", get("Content-Length: 5"),
    Meaning(framing: .length(5))),
  HeadRow(
    "RFC 9112 §7.1: chunked", post("Transfer-Encoding: chunked"), Meaning(method: .post, framing: .chunked)),
  HeadRow(
    "RFC 9112 §7: codings have no case", post("TRANSFER-ENCODING: \tCHUNKED "),
    Meaning(method: .post, framing: .chunked)),
  HeadRow(
    "RFC 9110 §5.1: an underscore makes another field",
    post("Content_Length: 99\r\nTransfer_Encoding: chunked"),
    Meaning(method: .post)),
  HeadRow(
    "RFC 9112 §6.1: HTTP/1.0 with Content-Length", old("Content-Length: 4"),
    Meaning(minorVersion: 0, framing: .length(4), keepAlive: false)),
]

private let webSocket = "Upgrade: websocket\r\nConnection: Upgrade"

private let connections: [HeadRow] = [
  HeadRow("RFC 9112 §9.3: close", get("Connection: close"), Meaning(keepAlive: false)),
  HeadRow("RFC 9110 §7.6.1: options have no case", get("Connection: CLOSE"), Meaning(keepAlive: false)),
  HeadRow("RFC 9112 §9.3: close wins", get("Connection: keep-alive, close"), Meaning(keepAlive: false)),
  HeadRow(
    "RFC 9110 §5.3: over several fields", get("Connection: keep-alive\r\nConnection: x,close"),
    Meaning(keepAlive: false)),
  HeadRow(
    "RFC 9110 §5.6.1: empty elements are skipped", get("Connection: , ,\tclose ,"),
    Meaning(keepAlive: false)),
  HeadRow(
    "RFC 9110 §7.6.1: part of a word is another option", get("Connection: closed, not-close"), Meaning()),
  HeadRow("RFC 9110 §7.6.1: empty Connection", get("Connection:"), Meaning()),
  HeadRow(
    "RFC 9112 §9.3: HTTP/1.0 closes", old("A: b"), Meaning(minorVersion: 0, keepAlive: false)),
  HeadRow("RFC 9112 §9.3: HTTP/1.0 may ask to stay", old("Connection: Keep-Alive"), Meaning(minorVersion: 0)),
  HeadRow(
    "RFC 9112 §9.3: HTTP/1.0 with both", old("Connection: keep-alive, close"),
    Meaning(minorVersion: 0, keepAlive: false)),
  HeadRow(
    "RFC 9110 §10.1.1: 100-continue", post("Content-Length: 1\r\nExpect: 100-Continue"),
    Meaning(method: .post, framing: .length(1), expectsContinue: true)),
  HeadRow(
    "RFC 9110 §10.1.1: nothing to wait for without content", get("Expect: 100-continue"), Meaning()),
  HeadRow(
    "RFC 9110 §10.1.1: ignored in HTTP/1.0", old("Content-Length: 1\r\nExpect: 100-continue"),
    Meaning(minorVersion: 0, framing: .length(1), keepAlive: false)),
  HeadRow(
    "RFC 9110 §10.1.1: any expectation is, in HTTP/1.0", old("Expect: payment"),
    Meaning(minorVersion: 0, keepAlive: false)),
  HeadRow("RFC 6455 §4.2.1: WebSocket", get(webSocket), Meaning(upgradesToWebSocket: true)),
  HeadRow(
    "RFC 6455 §4.2.1: lists without case", get("Upgrade: h2c, WebSocket\r\nConnection: keep-alive, upgrade"),
    Meaning(upgradesToWebSocket: true)),
  HeadRow(
    "RFC 9110 §7.8: Upgrade without the connection option", get("Upgrade: websocket"), Meaning()),
  HeadRow("RFC 9110 §7.8: the option without Upgrade", get("Connection: upgrade"), Meaning()),
  HeadRow(
    "RFC 9110 §7.8: another protocol", get("Upgrade: websockets/1\r\nConnection: upgrade"), Meaning()),
  HeadRow("RFC 6455 §4.1: only GET upgrades", post(webSocket), Meaning(method: .post)),
  HeadRow(
    "RFC 9110 §7.8: ignored in HTTP/1.0", old(webSocket), Meaning(minorVersion: 0, keepAlive: false)),
  HeadRow(
    "RFC 9110 §7.8: content comes before frames, so it rules an upgrade out",
    get(webSocket + "\r\nContent-Length: 2"), Meaning(framing: .length(2))),
  HeadRow("RFC 7240 §2: a preference", get("Prefer: server-timing"), Meaning(prefersServerTiming: true)),
  HeadRow(
    "RFC 7240 §2: a preference without case", get("PREFER:\tServer-Timing"),
    Meaning(prefersServerTiming: true)),
  HeadRow(
    "RFC 7240 §2: a preference in a list", get("Prefer: , respond-async ,server-timing,"),
    Meaning(prefersServerTiming: true)),
  HeadRow(
    "RFC 7240 §2: a preference in the second of two fields", get("Prefer: a, b\r\nPrefer: server-timing"),
    Meaning(prefersServerTiming: true)),
  HeadRow(
    "RFC 7240 §2: a preference behind a quoted string", get("Prefer: a=\"b, \\\", c\", server-timing"),
    Meaning(prefersServerTiming: true)),
  HeadRow(
    "RFC 7240 §2: a preference with parameters", get("Prefer: server-timing ; a=\"b,c\""),
    Meaning(prefersServerTiming: true)),
  HeadRow(
    "RFC 7240 §2: a preference with an empty value", get("Prefer: server-timing = \"\" ;a"),
    Meaning(prefersServerTiming: true)),
  HeadRow("RFC 7240 §2: none with a value", get("Prefer: server-timing=off"), Meaning()),
  HeadRow("RFC 7240 §2: none with half a value", get("Prefer: server-timing=\""), Meaning()),
  HeadRow("RFC 7240 §2: none with nothing for a value", get("Prefer: server-timing="), Meaning()),
  HeadRow("RFC 7240 §2: none in a quoted string", get("Prefer: a=\"b, server-timing, c\""), Meaning()),
  HeadRow(
    "RFC 7240 §2: none behind a quote that does not end", get("Prefer: a=\"b\\\", server-timing"), Meaning()),
  HeadRow("RFC 7240 §2: none as a value", get("Prefer: a=server-timing"), Meaning()),
  HeadRow("RFC 7240 §2: none as a parameter", get("Prefer: a;server-timing"), Meaning()),
  HeadRow(
    "RFC 7240 §2: none as part of a word", get("Prefer: server-timings, xserver-timing, server"), Meaning()),
  HeadRow("RFC 7240 §2: none beside a word", get("Prefer: server-timing a"), Meaning()),
  HeadRow("RFC 7240 §2: none by another field", get("Cookie: server-timing"), Meaning()),
  HeadRow("RFC 7240 §2: none, empty", get("Prefer:"), Meaning()),
  HeadRow("RFC 7240 §2: none with a backslash at its end", get("Prefer: \"\\"), Meaning()),
]

private let valueRows: [(line: String, expected: String)] = [
  ("A: b", "A=b"),
  ("A:b", "A=b"),
  ("A:   b", "A=b"),
  ("A:\tb\t", "A=b"),
  ("A: b \t ", "A=b"),
  ("A:", "A="),
  ("A:  \t ", "A="),
  ("A: b c\td", "A=b c\td"),
  ("A: :b:", "A=:b:"),
  (
    "A-long-field-name: a value that is longer than a word",
    "A-long-field-name=a value that is longer than a word"
  ),
  ("A: \"quoted, text\"", "A=\"quoted, text\""),
]
