import Testing

@testable import App

@Suite struct `A latency histogram` {
  @Test func `counts each time in the first bucket that holds it`() {
    var histogram = LatencyHistogram()
    histogram.record(from: 0, to: 5000)
    histogram.record(from: 0, to: 5001)
    histogram.record(from: 0, to: 20_000_000_000)
    // A clock that went back is no time at all.
    histogram.record(from: 5, to: 3)
    #expect(histogram.counts[0] == 2 && histogram.counts[1] == 1 && histogram.counts.last == 1)
    #expect(histogram.counts.reduce(0, +) == 4)
    #expect(histogram.sum == 5000 + 5001 + 20_000_000_000)
  }
}
