import Testing

@testable import App

@Suite struct `The texts of times` {
  @Test func `are right in whatever order the times come`() {
    var cache = TimestampCache()
    for time: Int64 in [5, 5, 6, 5, 6, 7, 5, 7, 0, 6, .min] {
      #expect(String(decoding: cache.text(time), as: UTF8.self) == Timestamp(milliseconds: time).text)
    }
  }
}
