import Histogram

/// Latencies in nanoseconds, to three digits, up to ten minutes.
struct Latency {
  private static let greatest: UInt64 = 600_000_000_000

  /// All up to the last look at the recent ones, and those since.
  private var past = Self.empty
  private var recent = Self.empty

  private static var empty: Histogram<UInt64> {
    Histogram(highestTrackableValue: greatest, numberOfSignificantValueDigits: .three)
  }

  mutating func record(_ nanoseconds: UInt64) { recent.record(min(nanoseconds, Self.greatest)) }

  mutating func add(_ other: Latency) {
    past.add(other.past)
    past.add(other.recent)
  }

  mutating func reset() {
    past.reset()
    recent.reset()
  }

  var count: UInt64 { past.totalCount + recent.totalCount }

  /// In microseconds.
  func percentile(_ percent: Double) -> Double { Double(whole.valueAtPercentile(percent)) / 1000 }
  var maximum: Double { Double(count == 0 ? 0 : whole.max) / 1000 }

  /// Percentiles of what came since the last call, in microseconds; nil if nothing did.
  mutating func takeRecent() -> (p50: Double, p99: Double)? {
    guard recent.totalCount > 0 else { return nil }
    let found = (
      Double(recent.valueAtPercentile(50)) / 1000, Double(recent.valueAtPercentile(99)) / 1000
    )
    past.add(recent)
    recent.reset()
    return found
  }

  private var whole: Histogram<UInt64> {
    var whole = past
    whole.add(recent)
    return whole
  }
}
