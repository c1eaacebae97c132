/// How long answers took: counts in classes a thirty-second apart, so that memory does not grow with a run.
struct AnswerTimes {
  /// Classes to a doubling, as bits.
  private static let fineness = 5
  private static let classes = (65 - fineness) << fineness

  private var counts = [UInt64](repeating: 0, count: classes)
  private(set) var count: UInt64 = 0
  /// Microseconds, exactly.
  private(set) var longest: UInt64 = 0

  mutating func add(microseconds: UInt64) {
    counts[Self.place(of: microseconds)] += 1
    count += 1
    longest = max(longest, microseconds)
  }

  /// The time within which so many of the answers came, microseconds; 0 to 3 % too long. 0 if there are none.
  /// - Parameter share: 0 to 1.
  func percentile(_ share: Double) -> UInt64 {
    let rank = max(1, UInt64((Double(count) * share).rounded(.up)))
    var seen: UInt64 = 0
    for (place, number) in counts.enumerated() {
      seen += number
      if seen >= rank { return min(longest, Self.last(of: place)) }
    }
    return longest
  }

  /// Up to twice the fineness a class is one number; then each doubling has as many classes as the first.
  private static func place(of value: UInt64) -> Int {
    let shift = max(0, 63 - fineness - value.leadingZeroBitCount)
    return shift << fineness + Int(value >> shift)
  }

  /// The largest number of a class.
  private static func last(of place: Int) -> UInt64 {
    let shift = max(0, place >> fineness - 1)
    let top = UInt64(place - shift << fineness)
    return ((top + 1) << shift) &- 1
  }
}
