import Testing

@testable import Reactor

@Suite("Request heads that are refused")
struct RefusedHeadTests {
  @Test(
    "However the bytes arrive",
    arguments: lineEnds + requestLines + targets + fieldLines + hosts + lengths + codings + others)
  func refused(_ row: HeadRow) {
    expectEverywhere(row)
  }

  @Test("RFC 9110 §5.5: no control character but the tab is let through", arguments: 0...0x7F)
  func controlCharacter(_ code: Int) throws {
    let character = Character(try #require(Unicode.Scalar(code)))
    let isAllowed = code == 0x09 || (0x20..<0x7F).contains(code)
    let outcome = feedHead(latin1(get("A: b\(character)c")), cuts: [latin1(get("A: b\(character)c")).count])
    if case .head = outcome { #expect(isAllowed) } else { #expect(!isAllowed) }
  }

  @Test("RFC 9110 §5.6.2: only tokens name a field or a method", arguments: 0...0xFF)
  func token(_ code: Int) throws {
    let character = Character(try #require(Unicode.Scalar(code)))
    let isToken = "!#$%&'*+-.^_`|~".contains(character) || (character.isASCII && character.isLetter)
    let isTokenOrDigit = isToken || (0x30...0x39).contains(code)
    for text in [get("A\(character)B: c"), "A\(character)B / HTTP/1.1\r\nHost: a\r\n\r\n"] {
      let bytes = latin1(text)
      // A colon ends the name earlier, a space the method.
      if code == 0x3A && text.hasPrefix("GET") { continue }
      if case .head = feedHead(bytes, cuts: [bytes.count]) {
        #expect(isTokenOrDigit)
      } else {
        #expect(!isTokenOrDigit)
      }
    }
  }

  @Test("RFC 9112 §3.2: what a target may hold", arguments: 0...0xFF)
  func targetCharacter(_ code: Int) throws {
    let character = Character(try #require(Unicode.Scalar(code)))
    let bytes = latin1("GET /a\(character)b HTTP/1.1\r\nHost: a\r\n\r\n")
    let isAllowed = (0x21..<0x7F).contains(code) && character != "#"
    if case .head = feedHead(bytes, cuts: [bytes.count]) { #expect(isAllowed) } else { #expect(!isAllowed) }
  }

  @Test("The same bytes give the same outcome, damaged and cut at random")
  func anyChunking() {
    var generator = SeededGenerator(seed: 9112)
    let rows = lineEnds + requestLines + targets + fieldLines + hosts + lengths + codings + others + goodRows
    for _ in 0..<4_000 {
      guard let row = rows.randomElement(using: &generator) else { return }
      let bytes = damaged(row.bytes, using: &generator)
      let limits = HeadLimits(
        headBytes: Int.random(in: 1...120, using: &generator), fieldCount: 3,
        targetBytes: Int.random(in: 1...20, using: &generator))
      let whole = feedHead(bytes, cuts: [bytes.count], limits: limits)
      let cuts = randomChunking(of: bytes.count, using: &generator)
      #expect(feedHead(bytes, cuts: cuts, limits: limits) == whole, "\(bytes) cut at \(cuts)")
    }
  }
}

private let goodRows: [HeadRow] = [
  HeadRow("", get("Connection: close\r\nA: b"), Meaning()),
  HeadRow("", "GET http://[::1]:80/a?b=c HTTP/1.1\r\nHost: %41.b:1\r\nA: b\r\n\r\n", Meaning()),
  HeadRow("", "\r\n" + post("Transfer-Encoding: chunked"), Meaning()),
]

private let lineEnds: [HeadRow] = [
  HeadRow("RFC 9112 §2.2: LF ends the request line", "GET / HTTP/1.1\n", refused: .bareLineFeed),
  HeadRow("RFC 9112 §2.2: LF ends a field line", "GET / HTTP/1.1\r\nHost: a\n", refused: .bareLineFeed),
  HeadRow("RFC 9112 §2.2: LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", refused: .bareLineFeed),
  HeadRow("RFC 9112 §2.2: LF first", "\nGET / HTTP/1.1\r\n", refused: .bareLineFeed),
  HeadRow(
    "RFC 9112 §2.2: CR ends the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", refused: .bareCarriageReturn
  ),
  HeadRow("RFC 9112 §2.2: CR in a value", get("A: b\rc"), refused: .bareCarriageReturn),
  HeadRow("RFC 9112 §2.2: CR CR LF", "GET / HTTP/1.1\r\r\n", refused: .bareCarriageReturn),
  HeadRow("RFC 9112 §2.2: CR first", "\rGET / HTTP/1.1\r\n", refused: .bareCarriageReturn),
  HeadRow(
    "RFC 9112 §2.2: CR before the last LF", "GET / HTTP/1.1\r\nHost: a\r\n\rX", refused: .bareCarriageReturn),
  HeadRow("RFC 9112 §2.2: one empty line is skipped, not two", "\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9110 §5.5: NUL in a value", "GET / HTTP/1.1\r\nA: b\0", refused: .controlCharacter),
  HeadRow("RFC 9110 §5.5: NUL in a target", "GET /\0", refused: .controlCharacter),
  HeadRow("RFC 9110 §5.5: DEL in a value", "GET / HTTP/1.1\r\nA: \u{7F}", refused: .controlCharacter),
  HeadRow("RFC 9110 §5.5: BEL in a value", "GET / HTTP/1.1\r\nA: abcdefgh\u{07}", refused: .controlCharacter),
  HeadRow(
    "A TLS record instead of a request", "\u{16}\u{03}\u{01}\u{02}\0\u{01}", refused: .controlCharacter),
]

private let requestLines: [HeadRow] = [
  HeadRow(
    "RFC 9112 §3: two spaces before the target", "GET  / HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow(
    "RFC 9112 §3: two spaces before the version", "GET /  HTTP/1.1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §3: a space behind the version", "GET / HTTP/1.1 \r\n\r\n", refused: .malformedVersion),
  HeadRow(
    "RFC 9112 §3: a space before the method", " GET / HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: tab after the method", "GET\t/ HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: tab after the target", "GET /\tHTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: no target", "GET HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: method alone", "GET\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: method and space", "GET \r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: only spaces", "   \r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: no method", "/ HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9110 §9.1: a method is a token", "G@T / HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9110 §9.1: a method is ASCII", "G\u{C9}T / HTTP/1.1\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: HTTP/0.9", "GET /\r\n\r\n", refused: .malformedRequestLine),
  HeadRow("RFC 9112 §3: an empty version", "GET / \r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: the name has case", "GET / http/1.1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: one digit", "GET / HTTP/1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: no minor digit", "GET / HTTP/1.\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: leading zeros", "GET / HTTP/01.01\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: two minor digits", "GET / HTTP/1.10\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: a space inside", "GET / HTTP/ 1.1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: no slash", "GET / HTTP 1.1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: a comma", "GET / HTTP/1,1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: letters", "GET / HTTP/a.b\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §2.3: another name", "GET / HTTQ/1.1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9110 §15.6.6: HTTP/2.0", "GET / HTTP/2.0\r\n\r\n", refused: .unknownVersion),
  HeadRow("RFC 9110 §15.6.6: HTTP/0.9 written out", "GET / HTTP/0.9\r\n\r\n", refused: .unknownVersion),
  HeadRow("RFC 9110 §15.6.6: HTTP/9.9", "GET / HTTP/9.9\r\n\r\n", refused: .unknownVersion),
  HeadRow("RFC 9113 §3.4: the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", refused: .unknownVersion),
]

private let targets: [HeadRow] = [
  HeadRow("RFC 9112 §3.2: a space", "GET /a b HTTP/1.1\r\n\r\n", refused: .malformedVersion),
  HeadRow("RFC 9112 §3.2: a fragment", "GET /a#b HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 3986 §2: not ASCII", "GET /\u{C3}\u{A9} HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 3629 §3: an overlong slash", "GET /\u{C0}\u{AF} HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2: a relative path", "GET a/b HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2: a query alone", "GET ?a HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2.4: * is for OPTIONS", "GET * HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2.4: * alone", "OPTIONS ** HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2.4: * with a query", "OPTIONS *?a HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow(
    "RFC 9112 §3.2.3: authority-form is for CONNECT", "GET a.org:80 HTTP/1.1\r\n\r\n", refused: .invalidTarget
  ),
  HeadRow("RFC 9112 §3.2.3: and CONNECT for it", "CONNECT / HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2.3: nothing else", "CONNECT http://a.org/ HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9110 §9.3.6: CONNECT without port", "CONNECT a.org HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow(
    "RFC 9110 §9.3.6: CONNECT with an empty port", "CONNECT a.org: HTTP/1.1\r\n\r\n",
    refused: .invalidTarget),
  HeadRow("RFC 9110 §9.3.6: CONNECT to port 0", "CONNECT a.org:0 HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow(
    "RFC 9110 §9.3.6: CONNECT beyond the ports", "CONNECT a:65536 HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2.2: another scheme", "GET ftp://a.org/ HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9112 §3.2.2: half a scheme", "GET http:/a.org/ HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9110 §4.2.1: no host", "GET http:// HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 9110 §4.2.1: an empty host", "GET http:///a HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow(
    "RFC 9110 §4.2.1: an empty host with a port", "GET http://:80/a HTTP/1.1\r\n\r\n", refused: .invalidTarget
  ),
  HeadRow(
    "RFC 9110 §4.2.4: user information", "GET http://u:p@a.org/ HTTP/1.1\r\n\r\n", refused: .invalidTarget),
  HeadRow("RFC 3986 §3.2.3: a bad port", "GET http://a.org:8x/ HTTP/1.1\r\n\r\n", refused: .invalidTarget),
]

private let fieldLines: [HeadRow] = [
  HeadRow("RFC 9112 §5.1: space before the colon", get("A : b"), refused: .whitespaceBeforeColon),
  HeadRow("RFC 9112 §5.1: tab before the colon", get("A\t: b"), refused: .whitespaceBeforeColon),
  HeadRow(
    "RFC 9112 §5.1: space before the colon of a framing field", post("Transfer-Encoding : chunked"),
    refused: .whitespaceBeforeColon),
  HeadRow("RFC 9112 §5.2: a folded line", get("A: b\r\n c"), refused: .foldedField),
  HeadRow("RFC 9112 §5.2: folded with a tab", get("A: b\r\n\tc"), refused: .foldedField),
  HeadRow("RFC 9112 §5.2: a folded line of blanks", get("A: b\r\n \r\nC: d"), refused: .foldedField),
  HeadRow(
    "RFC 9112 §5.2: a folded coding", post("Transfer-Encoding:\r\n chunked"),
    refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §2.2: whitespace before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    refused: .foldedField),
  HeadRow("RFC 9112 §5: no colon", get("NoColon"), refused: .invalidFieldName),
  HeadRow("RFC 9110 §5.1: an empty name", get(": b"), refused: .invalidFieldName),
  HeadRow("RFC 9110 §5.1: a bracket", get("A[: b"), refused: .invalidFieldName),
  HeadRow("RFC 9110 §5.1: a space inside", get("A B: c"), refused: .whitespaceBeforeColon),
  HeadRow("RFC 9110 §5.1: a tab inside", get("Content\tLength: 3"), refused: .whitespaceBeforeColon),
  HeadRow("RFC 9110 §5.1: not ASCII", get("X-T\u{C3}\u{AB}st: b"), refused: .invalidFieldName),
  HeadRow("RFC 9110 §5.1: a slash", get("A/B: c"), refused: .invalidFieldName),
]

private let hosts: [HeadRow] = [
  HeadRow("RFC 9112 §3.2: HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", refused: .missingHost),
  HeadRow(
    "RFC 9112 §3.2: a higher minor version without Host", "GET / HTTP/1.2\r\n\r\n", refused: .missingHost),
  HeadRow(
    "RFC 9112 §3.2: absolute-form does not replace it", "GET http://a.org/ HTTP/1.1\r\n\r\n",
    refused: .missingHost),
  HeadRow("RFC 9112 §3.2: another Host", get("Host: b"), refused: .repeatedHost),
  HeadRow("RFC 9112 §3.2: the same Host again", get("Host: example.com"), refused: .repeatedHost),
  HeadRow("RFC 9112 §3.2: Host again in HTTP/1.0", old("Host: example.com"), refused: .repeatedHost),
  HeadRow("RFC 9112 §3.2: an empty one counts", get("Host:"), refused: .repeatedHost),
  HeadRow("RFC 9110 §4.2.1: empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", refused: .invalidHost),
  HeadRow(
    "RFC 9110 §4.2.1: empty Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: \r\n\r\n", refused: .invalidHost),
  HeadRow(
    "RFC 9110 §7.2: user information", "GET / HTTP/1.1\r\nHost: u@a.org\r\n\r\n", refused: .invalidHost),
  HeadRow("RFC 9110 §7.2: a path", "GET / HTTP/1.1\r\nHost: a.org/b\r\n\r\n", refused: .invalidHost),
  HeadRow("RFC 9110 §7.2: a URI", "GET / HTTP/1.1\r\nHost: http://a.org\r\n\r\n", refused: .invalidHost),
  HeadRow("RFC 9110 §7.2: a list", "GET / HTTP/1.1\r\nHost: a.org, b.org\r\n\r\n", refused: .invalidHost),
  HeadRow("RFC 9110 §7.2: a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", refused: .invalidHost),
  HeadRow("RFC 9110 §7.2: not ASCII", "GET / HTTP/1.1\r\nHost: \u{E9}.org\r\n\r\n", refused: .invalidHost),
  HeadRow("RFC 9110 §7.2: a bad port", "GET / HTTP/1.1\r\nHost: a.org:8o\r\n\r\n", refused: .invalidHost),
  HeadRow(
    "RFC 9112 §3.2.2: a bad one is refused though the target replaces it",
    "GET http://a.org/ HTTP/1.1\r\nHost: a b\r\n\r\n", refused: .invalidHost),
]

private let lengths: [HeadRow] = [
  HeadRow("RFC 9110 §8.6: letters", post("Content-Length: abc"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: empty", post("Content-Length: "), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: plus", post("Content-Length: +5"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: minus", post("Content-Length: -1"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: minus zero", post("Content-Length: -0"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: hexadecimal", post("Content-Length: 0x5"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: octal", post("Content-Length: 0o5"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: a space inside", post("Content-Length: 1 0"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: an underscore", post("Content-Length: 1_0"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: a fraction", post("Content-Length: 5.0"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: an exponent", post("Content-Length: 1e1"), refused: .invalidContentLength),
  HeadRow(
    "RFC 9110 §8.6: digits beyond ASCII", post("Content-Length: \u{B2}"), refused: .invalidContentLength),
  HeadRow(
    "RFC 9110 §8.6: a list of different", post("Content-Length: 5, 10"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: a list of the same", post("Content-Length: 5, 5"), refused: .invalidContentLength),
  HeadRow("RFC 9110 §8.6: a trailing comma", post("Content-Length: 5,"), refused: .invalidContentLength),
  HeadRow(
    "RFC 9110 §8.6: one too many", post("Content-Length: 9223372036854775808"), refused: .invalidContentLength
  ),
  HeadRow(
    "RFC 9110 §8.6: 20 digits", post("Content-Length: 99999999999999999999"), refused: .invalidContentLength),
  HeadRow(
    "RFC 9112 §6.3: twice with different numbers", post("Content-Length: 5\r\nContent-Length: 10"),
    refused: .repeatedContentLength),
  HeadRow(
    "RFC 9112 §6.3: twice with the same", post("Content-Length: 5\r\ncontent-length: 5"),
    refused: .repeatedContentLength),
  HeadRow(
    "RFC 9112 §6.3: twice with zero", post("Content-Length: 0\r\nContent-Length: 0"),
    refused: .repeatedContentLength),
]

private let codings: [HeadRow] = [
  HeadRow("RFC 9112 §6.1: unknown", post("Transfer-Encoding: xchunked"), refused: .invalidTransferEncoding),
  HeadRow("RFC 9112 §6.1: gzip", post("Transfer-Encoding: gzip"), refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §6.1: gzip, chunked", post("Transfer-Encoding: gzip, chunked"),
    refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §6.3: chunked is not last", post("Transfer-Encoding: chunked, gzip"),
    refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §6.1: chunked twice", post("Transfer-Encoding: chunked, chunked"),
    refused: .invalidTransferEncoding),
  HeadRow("RFC 9112 §6.1: identity", post("Transfer-Encoding: identity"), refused: .invalidTransferEncoding),
  HeadRow("RFC 9112 §6.1: empty", post("Transfer-Encoding:"), refused: .invalidTransferEncoding),
  HeadRow("RFC 9112 §6.1: quoted", post("Transfer-Encoding: \"chunked\""), refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §7.1: a parameter", post("Transfer-Encoding: chunked;a=b"), refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §6.1: a leading comma", post("Transfer-Encoding: , chunked"),
    refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §6.1: a trailing comma", post("Transfer-Encoding: chunked,"),
    refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9112 §6.1: two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    refused: .repeatedTransferEncoding),
  HeadRow(
    "RFC 9112 §6.1: two fields, one of them gzip",
    post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
    refused: .invalidTransferEncoding),
  HeadRow(
    "RFC 9110 §5.5: vertical tab", post("Transfer-Encoding: \u{0B}chunked"), refused: .controlCharacter),
  HeadRow("RFC 9110 §5.5: form feed", post("Transfer-Encoding: \u{0C}chunked"), refused: .controlCharacter),
  HeadRow("RFC 9110 §5.5: NUL behind it", post("Transfer-Encoding: chunked\0"), refused: .controlCharacter),
  HeadRow(
    "RFC 9112 §6.1: with Content-Length before", post("Content-Length: 5\r\nTransfer-Encoding: chunked"),
    refused: .ambiguousLength),
  HeadRow(
    "RFC 9112 §6.1: with Content-Length behind", post("Transfer-Encoding: chunked\r\nContent-Length: 5"),
    refused: .ambiguousLength),
  HeadRow(
    "RFC 9112 §6.1: with Content-Length 0", post("Transfer-Encoding: chunked\r\nContent-Length: 0"),
    refused: .ambiguousLength),
  HeadRow(
    "RFC 9112 §6.1: in HTTP/1.0", old("Transfer-Encoding: chunked"), refused: .transferEncodingInOldVersion),
]

private let others: [HeadRow] = [
  HeadRow("RFC 9110 §10.1.1: another expectation", post("Expect: 200-ok"), refused: .unknownExpectation),
  HeadRow(
    "RFC 9110 §10.1.1: another one in a list", post("Expect: 100-continue, a=b"), refused: .unknownExpectation
  ),
  HeadRow("RFC 9110 §10.1.1: part of the word", post("Expect: 100-continued"), refused: .unknownExpectation),
]
