/// What the values of a metric mean.
enum MetricKind: String, Sendable, Codable, CaseIterable {
  /// A register that only grows.
  case counter
  /// The energy of a span of time.
  case interval
  /// The power at one moment.
  case power

  /// The largest value that is taken, in kilowatt-hours or watts. A register may hold 1 PWh, and a difference of two such
  /// is still exact in whole microwatt-hours; a single span or a power beyond its limit is no building's.
  private var limit: Double {
    switch self {
    case .counter: 1e9
    case .interval: 1e6
    case .power: 1e9
    }
  }

  /// Whether a value can be taken; nil if so, else why not.
  func complaint(about value: Double, in unit: EnergyUnit) -> String? {
    guard value.isFinite else { return "the value is no finite number" }
    if value < 0 && self != .power { return "the value is negative" }
    let limit = unit == .wattHour ? limit * 1000 : limit
    return value.magnitude > limit ? "the value is beyond any meter's range" : nil
  }
}
