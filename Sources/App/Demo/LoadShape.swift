import Glibc

/// How much power a household draws in the course of a day: little at night, a peak in the morning and a larger one in the
/// evening, more at noon on free days, and some noise. The same seed gives the same curve.
struct LoadShape: Sendable {
  /// Mean of a day, watts.
  let mean: Double
  private let seed: UInt64

  init(mean: Double, seed: UInt64) {
    self.mean = mean
    self.seed = seed
  }

  /// Watts at an instant, on the zone's clock; more than 0.
  func power(at time: Int64, in zone: ZoneRules) -> Double {
    let local = time + zone.offset(at: time) * 1000
    let (day, inDay) = local.dividedDown(by: 86_400_000)
    let hour = Double(inDay) / 3_600_000
    // 1970-01-01 was a Thursday.
    let isFree = [2, 3].contains(day.dividedDown(by: 7).remainder)
    let shape =
      0.45 + Self.peak(hour, at: 7.3, width: 1.4) * 0.9 + Self.peak(hour, at: 12.5, width: 2)
      * (isFree ? 0.9 : 0.35)
      + Self.peak(hour, at: 19.2, width: 2.4) * 1.5
    return mean * shape * (0.8 + 0.4 * noise(time / 300_000)) * (0.85 + 0.3 * noise(day &* 7919))
  }

  /// Energy from one instant to another, kilowatt-hours, by the power of the middle.
  func energy(from start: Int64, to end: Int64, in zone: ZoneRules) -> Double {
    power(at: start + (end - start) / 2, in: zone) * Double(end - start) / 3.6e9
  }

  private static func peak(_ hour: Double, at center: Double, width: Double) -> Double {
    let distance = (hour - center) / width
    return exp(-distance * distance)
  }

  /// 0 to 1, from the seed and a number (SplitMix64).
  private func noise(_ number: Int64) -> Double {
    var z = seed &+ UInt64(bitPattern: number) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) / Double(1 << 53)
  }
}
