/// What a batch of readings has changed of one meter.
struct MeterChanges {
  /// A stretch of time in which a reading has changed something.
  private struct Touch {
    let start: Int64
    let end: Int64
    /// The reading names its start, as did the one whose place it took.
    let namesStart: Bool
    /// nil: one was there, and has become another.
    let new: Reading?
  }

  /// Moments from the first to the last at which something changed.
  typealias Stretch = (range: ClosedRange<Int64>, namesStarts: Bool)

  /// Changes that are further apart than this are looked at each for itself.
  private static let farApart: Int64 = 86_400_000

  private var touches: [Touch] = []

  mutating func note(_ change: ReadingStore.Change, _ reading: Reading) {
    let start = reading.start ?? reading.end
    switch change {
    case .duplicate: break
    case .new:
      touches.append(
        Touch(start: start, end: reading.end, namesStart: reading.start != nil, new: reading))
    case .corrected(let before):
      touches.append(
        Touch(
          start: min(start, before ?? reading.end), end: reading.end,
          namesStart: reading.start != nil && before != nil, new: nil))
    }
  }

  /// The readings in the order of their ends, if all are new and of a time behind another one; nil if not.
  func readings(behind last: Reading) -> [Reading]? {
    var readings: [Reading] = []
    readings.reserveCapacity(touches.count)
    for touch in touches {
      guard let new = touch.new, touch.end > last.end, touch.start >= last.end else { return nil }
      readings.append(new)
    }
    readings.sort { $0.end < $1.end }
    return readings
  }

  /// All that has changed, in the order of time.
  func stretches() -> [Stretch] {
    var stretches: [Stretch] = []
    for touch in touches.sorted(by: { $0.start < $1.start }) {
      if let last = stretches.last, touch.start - last.range.upperBound <= Self.farApart {
        stretches[stretches.count - 1] = (
          last.range.lowerBound...max(last.range.upperBound, touch.end), last.namesStarts && touch.namesStart
        )
      } else {
        stretches.append((touch.start...touch.end, touch.namesStart))
      }
    }
    return stretches
  }
}
