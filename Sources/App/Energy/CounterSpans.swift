/// How the readings of a register become spans: its growth from one to the next, evenly over the time between.
///
/// - A fall is a reset: the register began anew at zero, and what it shows has grown since.
/// - A declared change of meter between two readings names the last value of the old register, if it is known, and the
///   first of the new.
/// - A fall that is undone was a wrong reading: it is passed over.
struct CounterSpans {
  private(set) var spans: [Span] = []
  /// The falls that were found.
  private(set) var detected: [Reset] = []
  private let unit: EnergyUnit

  /// - Parameters:
  ///   - readings: in the order of their ends. The first is no undone one: what comes after it does not depend on what was
  ///     before it.
  ///   - resets: declared and undone ones of that time, in order.
  static func make(_ readings: [Reading], unit: EnergyUnit, resets: [Reset]) -> CounterSpans {
    var made = CounterSpans(unit)
    made.walk(readings, resets)
    return made
  }

  private init(_ unit: EnergyUnit) { self.unit = unit }

  private mutating func walk(_ readings: [Reading], _ resets: [Reset]) {
    guard var last = readings.first else { return }
    let undone = Set(resets.lazy.filter { $0.kind == .undone }.map(\.at))
    let declared = resets.filter { $0.kind == .declared }
    var next = declared.partitioningIndex { $0.at > last.end }
    for reading in readings.dropFirst() {
      let first = next
      while next < declared.count, declared[next].at <= reading.end { next += 1 }
      if first < next {
        cross(declared[first..<next], last, reading)
      } else if reading.value >= last.value {
        grow(last.end, last.value, reading.end, reading.value)
      } else if undone.contains(reading.end) {
        continue
      } else {
        detected.append(
          Reset(kind: .detected, at: reading.end, before: last.value, after: reading.value))
        grow(last.end, 0, reading.end, reading.value)
      }
      last = reading
    }
  }

  /// Growth up to the change of meter, if its old register was read, and from its new one on.
  private mutating func cross(_ changes: ArraySlice<Reset>, _ last: Reading, _ reading: Reading) {
    var from = (time: last.end, value: last.value)
    for change in changes {
      if let before = change.before { grow(from.time, from.value, change.at, before) }
      from = (change.at, change.after)
    }
    grow(from.time, from.value, reading.end, reading.value)
  }

  private mutating func grow(_ start: Int64, _ first: Double, _ end: Int64, _ second: Double) {
    guard end > start, end - start <= longestSpan else { return }
    let growth = MicrowattHours(second, unit) - MicrowattHours(first, unit)
    spans.append(Span(start, end, max(.zero, growth)))
  }
}

extension Array {
  /// The first index whose element is in the second part; the elements are in two parts.
  func partitioningIndex(_ isSecond: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isSecond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
