/// Energy and coverage of consecutive quarters, gathered from spans.
struct QuarterTotals {
  struct Total: Equatable {
    var energy = MicrowattHours.zero
    /// Milliseconds, 0 to `Quarter.length`.
    var covered: Int64 = 0

    static func + (left: Total, right: Total) -> Total {
      Total(energy: left.energy + right.energy, covered: left.covered + right.covered)
    }
  }

  /// Numbers of quarters.
  let range: Range<Int64>
  private(set) var totals: [Total]

  init(_ range: Range<Int64>) {
    self.range = range
    totals = Array(repeating: Total(), count: range.count)
  }

  subscript(_ number: Int64) -> Total { totals[Int(number - range.lowerBound)] }

  /// Adds the parts of spans that lie in the range. What two spans cover both is covered once, though each one's energy
  /// counts.
  mutating func add(_ spans: [Span]) {
    for span in spans { addEnergy(span) }
    let isInOrder = zip(spans, spans.dropFirst()).allSatisfy { $0.start <= $1.start }
    var coveredUntil = Int64.min
    for span in isInOrder ? spans : spans.sorted(by: { $0.start < $1.start }) {
      cover(max(span.start, coveredUntil), span.end)
      coveredUntil = max(coveredUntil, span.end)
    }
  }

  private mutating func addEnergy(_ span: Span) {
    forEachQuarter(span.start, span.end) { totals, index, start, end in
      totals[index].energy += span.energy(until: end) - span.energy(until: start)
    }
  }

  private mutating func cover(_ start: Int64, _ end: Int64) {
    forEachQuarter(start, end) { totals, index, start, end in totals[index].covered += end - start }
  }

  /// Visits the quarters of the range that a stretch touches, each with the part that lies in it.
  @inline(__always)
  private mutating func forEachQuarter(
    _ start: Int64, _ end: Int64, _ body: (inout [Total], Int, Int64, Int64) -> Void
  ) {
    guard start < end else { return }
    let first = max(Quarter.number(at: start), range.lowerBound)
    let last = min(Quarter.number(endingAt: end), range.upperBound)
    guard first < last else { return }
    for number in first..<last {
      let quarter = Quarter.start(number)
      body(
        &totals, Int(number - range.lowerBound), max(start, quarter), min(end, quarter + Quarter.length))
    }
  }
}
