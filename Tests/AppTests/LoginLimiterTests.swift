import Synchronization
import Testing

@testable import App

@Suite struct AttemptBucketsTests {
  @Test func `a burst passes, and then one for each interval`() {
    var buckets = AttemptBuckets(burst: 3, interval: 100)
    for now in [UInt64(1000), 1000, 1001] {
      #expect(buckets.wait(1, now: now) == 0)
      buckets.take(1, now: now)
    }
    #expect(buckets.wait(1, now: 1001) == 99)
    #expect(buckets.wait(2, now: 1001) == 0, "another key has a bucket of its own")
    #expect(buckets.wait(1, now: 1099) == 1)
    #expect(buckets.wait(1, now: 1100) == 0)
    buckets.take(1, now: 1100)
    #expect(buckets.wait(1, now: 1100) == 100)
    #expect(buckets.wait(1, now: 5000) == 0)
  }

  @Test func `full ones make room first, and then those that are nearest to it`() {
    var buckets = AttemptBuckets(burst: 2, interval: 100)
    buckets.limit = 8
    for key in 0..<4 { buckets.take(key, now: 0) }
    for key in 4..<8 {
      for _ in 0..<2 { buckets.take(key, now: 150) }
    }
    buckets.take(8, now: 150)
    #expect(buckets.count == 5, "the first four were full")
    for key in 9..<1000 {
      buckets.take(key, now: 150)
      #expect(buckets.count <= 8)
    }
    for key in 4..<8 { #expect(buckets.wait(key, now: 150) == 100, "who is at the limit is kept") }
  }
}

@Suite struct LoginLimiterTests {
  private func outcomes(_ limiter: LoginLimiter, _ name: String, failing count: Int) -> [ProblemKind?] {
    let attempt = LoginAttempt(name: name, address: nil)
    return (0..<count).map { _ in
      do throws(Problem) {
        try limiter.check(attempt)
        limiter.countFailure(attempt)
        return nil
      } catch {
        #expect(error.retryAfterMilliseconds ?? 0 > 0)
        return error.kind
      }
    }
  }

  @Test func `ten failures are too many for a name in any case, and one comes back each half minute`() {
    let time = Clock()
    let limiter = LoginLimiter { time.now.withLock { $0 } }
    #expect(outcomes(limiter, "ann", failing: 10) == Array(repeating: nil, count: 10))
    #expect(outcomes(limiter, "ANN", failing: 2) == [.rateLimited, .rateLimited])
    #expect(outcomes(limiter, "bob", failing: 1) == [nil])
    time.now.withLock { $0 += 30_000 }
    #expect(outcomes(limiter, "ann", failing: 2) == [nil, .rateLimited])
  }

  private final class Clock: Sendable { let now = Mutex<UInt64>(1_000_000) }
}
