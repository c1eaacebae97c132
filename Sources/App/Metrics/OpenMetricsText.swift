/// Writes the OpenMetrics text format, version 1.0.0. Names and labels are the program's own: nothing needs escaping.
struct OpenMetricsText {
  static let contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

  private var text = ""

  /// - Parameter name: without `_total`.
  mutating func counter(_ name: String, _ help: String, _ value: some Numeric) {
    describe(name, "counter", help)
    text += "\(name)_total \(value)\n"
  }

  mutating func counter(_ name: String, _ help: String, by label: String, _ values: [(String, UInt64)]) {
    describe(name, "counter", help)
    for (of, value) in values { text += "\(name)_total{\(label)=\"\(of)\"} \(value)\n" }
  }

  mutating func gauge(_ name: String, unit: String? = nil, _ help: String, _ value: some Numeric) {
    describe(name, "gauge", unit: unit, help)
    text += "\(name) \(value)\n"
  }

  /// Of seconds.
  mutating func histograms(
    _ name: String, _ help: String, by label: String, _ histograms: [(String, LatencyHistogram)]
  ) {
    describe(name, "histogram", unit: "seconds", help)
    for (of, histogram) in histograms {
      var count: UInt64 = 0
      for (index, part) in histogram.counts.enumerated() {
        count += part
        let bounds = LatencyHistogram.bounds
        let bound = index < bounds.count ? "\(Double(bounds[index]) / 1_000_000)" : "+Inf"
        text += "\(name)_bucket{\(label)=\"\(of)\",le=\"\(bound)\"} \(count)\n"
      }
      text += "\(name)_count{\(label)=\"\(of)\"} \(count)\n"
      text += "\(name)_sum{\(label)=\"\(of)\"} \(Double(histogram.sum) / 1_000_000_000)\n"
    }
  }

  private mutating func describe(_ name: String, _ type: String, unit: String? = nil, _ help: String) {
    text += "# TYPE \(name) \(type)\n"
    if let unit { text += "# UNIT \(name) \(unit)\n" }
    text += "# HELP \(name) \(help)\n"
  }

  consuming func finished() -> [UInt8] { Array((text + "# EOF\n").utf8) }
}
