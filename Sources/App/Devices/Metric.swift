/// One thing that a device measures, as clients know it.
struct Metric: Sendable, Equatable, Encodable {
  let name: String
  let kind: MetricKind
  let unit: EnergyUnit

  /// That of a device for which none was named.
  static let standard = Metric(name: "energy", kind: .interval, unit: .kilowattHour)
  static let nameRule = "must be 1 to 64 of a to z, 0 to 9 and '_', a letter first"

  static func isName(_ name: String) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first, letters.contains(first) else {
      return false
    }
    return name.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_") }
  }
}

extension MetricKind {
  /// The units that its values may have; the first where none is named.
  var units: [EnergyUnit] {
    switch self {
    case .counter, .interval: [.kilowattHour, .wattHour]
    case .power: [.watt]
    }
  }
}
