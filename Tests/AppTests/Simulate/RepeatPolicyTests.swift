import Reactor
import Testing

@testable import App

@Suite struct `A request that may be repeated` {
  private func decide(
    _ status: UInt16, retryAfter: String? = nil, attempt: Int = 0, elapsed: UInt64 = 0
  ) -> RepeatPolicy.Decision {
    RepeatPolicy.decide(
      Status(rawValue: status), retryAfter: retryAfter, attempt: attempt, elapsed: elapsed, chance: 1)
  }

  @Test(arguments: [200, 201, 400, 401, 403, 404, 413, 422, 500] as [UInt16])
  func `is not, when the answer would stay the same`(_ status: UInt16) {
    #expect(decide(status) == .take && decide(status, retryAfter: "1") == .take)
  }

  @Test(arguments: [408, 429, 502, 503, 504] as [UInt16])
  func `is, when the server cannot now`(_ status: UInt16) {
    #expect(decide(status) == .again(100))
    #expect(decide(status, retryAfter: "2") == .again(2100))
    #expect(decide(status, retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT") == .again(100))
    #expect(decide(status, retryAfter: "-1") == .again(100))
    #expect(decide(status, retryAfter: "61") == .giveUp)
    #expect(decide(status, retryAfter: "\(UInt64.max)") == .giveUp)
  }

  @Test func `is after a lost connection, and not after an answer that is none`() {
    let again: [HTTPClientError] = [.cannotConnect("Connection refused"), .connectionClosed, .timedOut]
    for error in again {
      #expect(RepeatPolicy.decide(error, attempt: 0, elapsed: 0, chance: 0) == .again(50))
    }
    for error: HTTPClientError in [.invalidRequest, .busy, .invalidResponse("x"), .cancelled] {
      #expect(RepeatPolicy.decide(error, attempt: 0, elapsed: 0, chance: 0) == .giveUp)
    }
  }

  @Test func `waits longer each time, and gives up after a minute`() {
    let pauses = (0..<8).map { decide(503, attempt: $0) }
    #expect(pauses == [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(RepeatPolicy.Decision.again))
    #expect(decide(503, attempt: .max, elapsed: 55_000) == .again(5000))
    #expect(decide(503, attempt: 20, elapsed: 55_001) == .giveUp)
    #expect(decide(503, elapsed: .max / 2) == .giveUp)
  }
}
