/// Counts times in buckets with fixed bounds, as OpenMetrics has them: two additions a time, and those of several servers can be
/// added up.
struct LatencyHistogram {
  /// Upper bounds, microseconds.
  static let bounds: [UInt64] = [
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
  ]

  /// One for each bound, and one for what took longer.
  private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
  /// Of all times, nanoseconds.
  private(set) var sum: UInt64 = 0

  /// Both in nanoseconds, of a clock that never goes back.
  mutating func record(from start: UInt64, to end: UInt64) {
    let time = end < start ? 0 : end - start
    counts[Self.bounds.firstIndex { time <= $0 * 1000 } ?? Self.bounds.count] += 1
    sum += time
  }
}
