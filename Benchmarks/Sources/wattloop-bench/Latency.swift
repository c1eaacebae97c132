import Histogram

/// Latencies in nanoseconds, to three digits, up to ten minutes.
struct Latency {
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three)

  mutating func record(_ nanoseconds: UInt64) { histogram.record(min(nanoseconds, 600_000_000_000)) }
  mutating func add(_ other: Latency) { histogram.add(other.histogram) }
  mutating func reset() { histogram.reset() }

  /// In microseconds.
  func percentile(_ percent: Double) -> Double { Double(histogram.valueAtPercentile(percent)) / 1000 }
  var maximum: Double { Double(histogram.totalCount == 0 ? 0 : histogram.max) / 1000 }
}
