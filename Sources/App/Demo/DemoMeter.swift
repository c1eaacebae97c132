/// A meter of the demo: a device, and how it measures.
struct DemoMeter: Sendable {
  let owner: String
  let name: String
  let address: String
  let timezone: String
  let metric: Metric
  let hourlyLimit: Double
  let shape: LoadShape
  /// From one reading to the next in what is filled in, milliseconds.
  let step: Int64
  /// Stretches of which there are no readings, milliseconds before the present.
  var gaps: [Range<Int64>] = []
  /// How long ago the meter was changed, milliseconds: its register began anew.
  var changedAgo: Int64?

  private static let minute: Int64 = 60_000
  private static let hour: Int64 = 3_600_000
  private static let day: Int64 = 86_400_000

  static let all = [
    DemoMeter(
      owner: "ada", name: "Flat 1", address: "Lindenstraße 4, Berlin", timezone: "Europe/Berlin",
      metric: Metric(name: "energy", kind: .counter, unit: .kilowattHour), hourlyLimit: 0.9,
      shape: LoadShape(mean: 420, seed: 1), step: 15 * minute, changedAgo: 11 * day + 5 * hour),
    DemoMeter(
      owner: "ada", name: "Heat pump", address: "Lindenstraße 4, Berlin", timezone: "Europe/Berlin",
      metric: Metric(name: "power", kind: .power, unit: .watt), hourlyLimit: 2.1,
      shape: LoadShape(mean: 900, seed: 2), step: 5 * minute),
    DemoMeter(
      owner: "ben", name: "Flat 2", address: "Lindenstraße 4, Berlin", timezone: "Europe/Berlin",
      metric: .standard, hourlyLimit: 0.8, shape: LoadShape(mean: 350, seed: 3), step: 15 * minute,
      gaps: [9 * day..<9 * day + 7 * hour, 2 * day..<2 * day + 90 * minute]),
    DemoMeter(
      owner: "cleo", name: "Workshop", address: "12 Mill Road, Boston", timezone: "America/New_York",
      metric: Metric(name: "energy", kind: .counter, unit: .wattHour), hourlyLimit: 2.6,
      shape: LoadShape(mean: 1100, seed: 4), step: 15 * minute),
  ]

  /// The readings of a stretch of time, as the meter would have sent them.
  func readings(from start: Int64, to end: Int64, now: Int64) -> [Reading] {
    var readings: [Reading] = []
    var last: Reading?
    for time in stride(from: start, through: end, by: Int(step)) {
      if let changedAgo, let before = last?.end, before < now - changedAgo, now - changedAgo <= time {
        last = nil
      }
      let reading = reading(at: time, after: last)
      last = reading
      if !gaps.contains(where: { $0.contains(now - time) }) { readings.append(reading) }
    }
    return readings
  }

  /// The next reading.
  func reading(at time: Int64, after last: Reading?) -> Reading {
    let zone = ZoneRules.named(timezone) ?? .utc
    let start = last?.end ?? time - step
    let energy = shape.energy(from: start, to: time, in: zone) * (metric.unit == .wattHour ? 1000 : 1)
    let value: Double =
      switch metric.kind {
      case .counter: (last?.value ?? 0) + energy
      case .interval: energy
      case .power: shape.power(at: time, in: zone)
      }
    return Reading(end: time, value: (value * 1_000_000).rounded() / 1_000_000)
  }
}
