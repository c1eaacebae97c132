import Testing

@testable import Reactor

@Suite("Percent-encoding and queries")
struct PercentDecodingTests {
  @Test(
    "RFC 3986 §2.1: decoded",
    arguments: [
      ("", ""), ("abc", "abc"), ("a%20b", "a b"), ("%41%5a%5A", "AZZ"), ("a+b", "a+b"), ("%2B", "+"),
      ("%2F", "/"),
      ("%25", "%"), ("%2525", "%25"), ("%C3%A9", "\u{E9}"), ("%F0%9F%98%80", "\u{1F600}"), ("%00", "\0"),
    ])
  func decoded(text: String, expected: String) {
    #expect(percentDecoded(text.utf8, as: .pathSegment) == expected)
  }

  @Test(
    "Refused: malformed, or not UTF-8",
    arguments: [
      "%", "a%", "%2", "%2g", "%g2", "%%20", "% 20", "%+1", "%C3", "%C0%AF", "%ED%A0%80", "%F4%90%80%80",
      "%FF",
    ])
  func refused(_ text: String) {
    #expect(percentDecoded(text.utf8, as: .pathSegment) == nil)
    #expect(percentDecoded(text.utf8, as: .query) == nil)
  }

  @Test("In a query + is a space, and %2B a plus")
  func plus() {
    #expect(percentDecoded("a+b%2Bc".utf8, as: .query) == "a b+c")
  }

  @Test(
    "Items in their order",
    arguments: [
      ("", []),
      ("a=1", ["a", "1"]),
      ("a=1&b=2", ["a", "1", "b", "2"]),
      ("a=1&a=2", ["a", "1", "a", "2"]),
      ("a", ["a", ""]),
      ("a=", ["a", ""]),
      ("=b", ["", "b"]),
      ("a=b=c", ["a", "b=c"]),
      ("&&a=1&&", ["a", "1"]),
      ("a+b=c%26d%3D", ["a b", "c&d="]),
      ("%C3%A9=%E2%82%AC", ["\u{E9}", "\u{20AC}"]),
    ] as [(String, [String])])
  func items(query: String, expected: [String]) {
    #expect(QueryItems(query)?.items.flatMap { [$0.name, $0.value] } == expected)
  }

  @Test("A query with one bad item is bad", arguments: ["a=%", "%=a", "a=1&b=%zz", "a=%FF"])
  func malformed(_ query: String) {
    #expect(QueryItems(query) == nil)
  }

  @Test("The first of a name; no query has no items")
  func first() {
    let items = QueryItems("a=1&b=2&a=3")
    #expect(items?.first(named: "a") == "1")
    #expect(items?.first(named: "b") == "2")
    #expect(items?.first(named: "A") == nil)
    #expect(QueryItems(nil)?.items.isEmpty == true)
  }
}
