/// Energy as the store counts it: whole microwatt-hours. Sums of them are exact and the same in any order, which sums of
/// binary fractions are not: ten times 0.1 kWh is 1 kWh.
struct MicrowattHours: Hashable, Comparable, Sendable {
  var count: Int64

  static let zero = MicrowattHours(0)

  init(_ count: Int64) { self.count = count }

  /// - Parameter value: in `unit`, and within that unit's `limit`.
  init(_ value: Double, _ unit: EnergyUnit) {
    let scaled = (value * unit.microwattHours).rounded()
    // What is stored has passed the limit; a damaged store must not stop the program.
    count = Int64(exactly: scaled) ?? (scaled > 0 ? .max : 0)
  }

  /// At the ends of the range a sum stays there: no reading that is taken comes near, but many together could.
  static func + (left: MicrowattHours, right: MicrowattHours) -> MicrowattHours {
    let (sum, overflow) = left.count.addingReportingOverflow(right.count)
    return MicrowattHours(overflow ? (left.count < 0 ? .min : .max) : sum)
  }

  static func - (left: MicrowattHours, right: MicrowattHours) -> MicrowattHours {
    let (difference, overflow) = left.count.subtractingReportingOverflow(right.count)
    return MicrowattHours(overflow ? (left.count < 0 ? .min : .max) : difference)
  }

  static func += (left: inout MicrowattHours, right: MicrowattHours) { left = left + right }

  static func < (left: MicrowattHours, right: MicrowattHours) -> Bool { left.count < right.count }

  /// This amount's share `part / whole`, rounded towards zero. `0 <= part <= whole`, `whole > 0`.
  func share(_ part: Int64, of whole: Int64) -> MicrowattHours {
    if part >= whole { return self }
    let product = count.magnitude.multipliedFullWidth(by: UInt64(max(0, part)))
    let quotient = Int64(UInt64(whole).dividingFullWidth(product).quotient)
    return MicrowattHours(count < 0 ? -quotient : quotient)
  }

  /// Adds the amount in kilowatt-hours to a JSON text: its exact decimal digits.
  func appendKilowattHours(to bytes: inout [UInt8]) {
    if count < 0 { bytes.append(UInt8(ascii: "-")) }
    let (whole, fraction) = count.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    appendDecimal(Int64(whole), to: &bytes)
    guard fraction > 0 else { return }
    bytes.append(UInt8(ascii: "."))
    var left = fraction
    var unit: UInt64 = 100_000_000
    while left > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(left / unit))
      left %= unit
      unit /= 10
    }
  }

  var kilowattHours: Double { Double(count) / 1e9 }
}

/// A unit that a metric's values may have.
enum EnergyUnit: String, Sendable, Codable, CaseIterable {
  case kilowattHour = "kWh"
  case wattHour = "Wh"
  case watt = "W"

  /// One of it; of a watt, in an hour.
  var microwattHours: Double {
    switch self {
    case .kilowattHour: 1e9
    case .wattHour, .watt: 1e6
    }
  }
}
