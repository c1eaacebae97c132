import Testing

@testable import Reactor

@Suite("Limits of a request head")
struct HeadLimitsTests {
  /// 36 bytes.
  private static let small = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"

  @Test("RFC 6585 §5: a head may have as many bytes as the limit says, and no more")
  func headBytes() {
    let bytes = latin1(Self.small)
    let row = HeadRow("fits", Self.small, Meaning())
    expectEverywhere(row, limits: HeadLimits(headBytes: bytes.count))
    for limit in 1..<bytes.count {
      let refused = HeadRow("too large", Self.small, refused: .headTooLarge)
      expectEverywhere(refused, limits: HeadLimits(headBytes: limit))
    }
  }

  @Test("A head that never ends is refused when its bytes reach the limit")
  func endlessHead() {
    let bytes = latin1("GET / HTTP/1.1\r\nA: " + String(repeating: "b", count: 100))
    for count in 1...bytes.count {
      let outcome = feedHead(bytes, cuts: Array(1...count), limits: HeadLimits(headBytes: 80))
      #expect(outcome == (count < 80 ? .incomplete : .refused(.headTooLarge)))
    }
  }

  @Test("The skipped empty line counts")
  func skippedLine() {
    let row = HeadRow("too large", "\r\n" + Self.small, refused: .headTooLarge)
    expectEverywhere(row, limits: HeadLimits(headBytes: latin1(Self.small).count + 1))
  }

  @Test("RFC 6585 §5: as many fields as the limit says, and no more", arguments: 1...3)
  func fieldCount(_ count: Int) {
    let lines = (1..<count).map { "A\($0): b\r\n" }.joined()
    let text = "GET / HTTP/1.1\r\nHost: example.com\r\n\(lines)\r\n"
    expectEverywhere(HeadRow("fits", text, Meaning()), limits: HeadLimits(fieldCount: count))
    let row = HeadRow("too many", text, refused: .tooManyFields)
    expectEverywhere(row, limits: HeadLimits(fieldCount: count - 1))
  }

  @Test("RFC 9112 §3: a target may have as many bytes as the limit says, and no more")
  func targetBytes() {
    let text = "GET /abcdefgh HTTP/1.1\r\nHost: example.com\r\n\r\n"
    expectEverywhere(HeadRow("fits", text, Meaning(path: "/abcdefgh")), limits: HeadLimits(targetBytes: 9))
    expectEverywhere(HeadRow("too long", text, refused: .targetTooLong), limits: HeadLimits(targetBytes: 8))
  }

  @Test("A request line that never ends is refused soon after the target's limit")
  func endlessTarget() {
    let bytes = latin1("GET /" + String(repeating: "a", count: 200))
    let outcome = feedHead(bytes, cuts: Array(1...bytes.count), limits: HeadLimits(targetBytes: 100))
    #expect(outcome == .refused(.targetTooLong))
    #expect(feedHead(Array(bytes[..<132]), cuts: [132], limits: HeadLimits(targetBytes: 100)) == .incomplete)
    #expect(
      feedHead(Array(bytes[..<133]), cuts: [133], limits: HeadLimits(targetBytes: 100))
        == .refused(.targetTooLong))
  }

  @Test("RFC 9112 §3: request lines of 8,000 bytes pass by default")
  func recommendedLength() {
    let path = "/" + String(repeating: "a", count: 8_000)
    let bytes = latin1("GET \(path) HTTP/1.1\r\nHost: example.com\r\n\r\n")
    #expect(
      feedHead(bytes, cuts: [bytes.count]).withoutFields
        == .head(Meaning(path: path), fields: [], length: bytes.count))
  }

  @Test("Each refusal has its status")
  func statuses() {
    #expect(HTTPError.headTooLarge.status == .headerFieldsTooLarge)
    #expect(HTTPError.tooManyFields.status == .headerFieldsTooLarge)
    #expect(HTTPError.trailersTooLarge.status == .headerFieldsTooLarge)
    #expect(HTTPError.targetTooLong.status == .uriTooLong)
    #expect(HTTPError.contentTooLarge.status == .contentTooLarge)
    #expect(HTTPError.unknownExpectation.status == .expectationFailed)
    #expect(HTTPError.unknownVersion.status == .versionNotSupported)
    let others = HTTPError.allCases.filter { $0.status == .badRequest }
    #expect(others.count == HTTPError.allCases.count - 7)
  }
}
