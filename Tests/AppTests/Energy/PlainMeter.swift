@testable import App

/// What a meter's quarters must be, worked out from all its final readings at once, in whole numbers, with none of the
/// server's arithmetic. Slow and plain.
struct PlainMeter {
  let kind: MetricKind
  /// Microwatt-hours of a thousandth of the unit; values have three decimals at most.
  let thousandth: Int64
  var readings: [Int64: Reading] = [:]
  var declared: [Int64: (before: Double?, after: Double)] = [:]
  var undone: Set<Int64> = []

  init(_ kind: MetricKind, unit: EnergyUnit) {
    self.kind = kind
    thousandth = unit == .kilowattHour ? 1_000_000 : 1_000
  }

  struct Quarter: Equatable {
    var energy: Int64 = 0
    var covered: Int64 = 0
    /// Spans that have a part in it.
    var spans: Int64 = 0
  }

  struct Result {
    var quarters: [Int64: Quarter] = [:]
    /// Time of each fall: the register before and after.
    var falls: [Int64: [Double]] = [:]
  }

  private struct Stretch {
    let start: Int64
    let end: Int64
    /// Microwatt-hours up to a time that has passed since the start.
    let until: (Int64) -> Int64
  }

  func result() -> Result {
    let ordered = readings.values.sorted { $0.end < $1.end }
    var result = Result()
    var stretches: [Stretch] = []
    switch kind {
    case .interval: stretches = intervals(ordered)
    case .power: stretches = power(ordered)
    case .counter: stretches = register(ordered, &result.falls)
    }
    for stretch in stretches { add(stretch, &result.quarters) }
    cover(stretches, &result.quarters)
    return result
  }

  // MARK: Kinds

  private func amount(_ value: Double) -> Int64 { Int64((value * 1000).rounded()) * thousandth }

  private func even(_ start: Int64, _ end: Int64, _ amount: Int64) -> Stretch {
    Stretch(start: start, end: end) { Int64(Int128(amount) * Int128($0) / Int128(end - start)) }
  }

  private func intervals(_ ordered: [Reading]) -> [Stretch] {
    ordered.enumerated().map { index, reading in
      var start = reading.end - 1 - (reading.end - 1) % 900_000
      if index > 0, reading.end - ordered[index - 1].end <= 400 * 86_400_000 {
        start = ordered[index - 1].end
      }
      return even(reading.start ?? start, reading.end, amount(reading.value))
    }
  }

  private func power(_ ordered: [Reading]) -> [Stretch] {
    zip(ordered, ordered.dropFirst()).filter { $1.end - $0.end <= 900_000 }.map { first, second in
      let (from, to) = (Int128(first.value), Int128(second.value))
      let length = Int128(second.end - first.end)
      return Stretch(start: first.end, end: second.end) { passed in
        // (from t + (to - from) t² / 2D) / 3.6, and halves away from zero.
        let t = Int128(passed)
        let above = 10 * (2 * length * from * t + (to - from) * t * t)
        let below = 72 * length
        return Int64((2 * above + (above < 0 ? -below : below)) / (2 * below))
      }
    }
  }

  private func register(_ ordered: [Reading], _ falls: inout [Int64: [Double]]) -> [Stretch] {
    var stretches: [Stretch] = []
    func grow(_ start: Int64, _ first: Double, _ end: Int64, _ second: Double) {
      if end <= start || end - start > 400 * 86_400_000 { return }
      stretches.append(even(start, end, max(0, amount(second) - amount(first))))
    }
    guard var last = ordered.first else { return [] }
    for reading in ordered.dropFirst() {
      let changes = declared.filter { last.end < $0.key && $0.key <= reading.end }.sorted { $0.key < $1.key }
      if !changes.isEmpty {
        var (time, value) = (last.end, last.value)
        for (at, change) in changes {
          if let before = change.before { grow(time, value, at, before) }
          (time, value) = (at, change.after)
        }
        grow(time, value, reading.end, reading.value)
      } else if reading.value < last.value {
        if undone.contains(reading.end) { continue }
        falls[reading.end] = [last.value, reading.value]
        grow(last.end, 0, reading.end, reading.value)
      } else {
        grow(last.end, last.value, reading.end, reading.value)
      }
      last = reading
    }
    return stretches
  }

  // MARK: Quarters

  private func add(_ stretch: Stretch, _ quarters: inout [Int64: Quarter]) {
    var time = stretch.start
    while time < stretch.end {
      let number = time / 900_000
      let next = min(stretch.end, (number + 1) * 900_000)
      quarters[number, default: Quarter()].energy +=
        stretch.until(next - stretch.start) - stretch.until(time - stretch.start)
      quarters[number, default: Quarter()].spans += 1
      time = next
    }
  }

  private func cover(_ stretches: [Stretch], _ quarters: inout [Int64: Quarter]) {
    var known: Int64 = 0
    for stretch in stretches.sorted(by: { $0.start < $1.start }) {
      var time = max(known, stretch.start)
      while time < stretch.end {
        let number = time / 900_000
        let next = min(stretch.end, (number + 1) * 900_000)
        quarters[number, default: Quarter()].covered += next - time
        time = next
      }
      known = max(known, stretch.end)
    }
  }
}
