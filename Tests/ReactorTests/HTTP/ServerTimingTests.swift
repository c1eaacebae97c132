import Testing

@testable import Reactor

@Suite struct `Server-Timing` {
  @Test(
    arguments: [0: "0.000", 999: "0.000", 1000: "0.001", 87_654_321: "87.654", 60_020_000_000: "60020.000"])
  func `is in milliseconds, cut to microseconds`(_ nanoseconds: UInt64, _ text: String) {
    #expect(ServerTiming.metric("a", nanoseconds: nanoseconds) == "a;dur=\(text)")
  }

  @Test func `has the total before the handler's own metrics`() {
    let own = ServerTiming.field(["a;dur=1", "b"])
    let answer = ServerTiming.add(total: 12_003_999, to: Response(.ok, fields: [own]))
    #expect(
      answer.fields == [
        Response.Field("preference-applied", "server-timing"),
        Response.Field("server-timing", "total;dur=12.003"), Response.Field("server-timing", "a;dur=1, b"),
      ])
  }

  /// RFC 9110 §15.2: it says no more than that something goes on.
  @Test func `is not in an interim answer`() {
    #expect(ServerTiming.add(total: 1, to: Response(.switchingProtocols)).fields.isEmpty)
  }
}
