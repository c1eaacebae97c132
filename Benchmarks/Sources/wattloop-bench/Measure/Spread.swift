/// What was found in several rounds.
struct Spread {
  private var values: [Double] = []

  mutating func add(_ value: Double) { values.append(value) }

  var least: Double { values.min() ?? 0 }
  var greatest: Double { values.max() ?? 0 }

  var median: Double {
    if values.isEmpty { return 0 }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
