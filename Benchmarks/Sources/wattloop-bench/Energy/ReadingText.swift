import Glibc

/// Minute readings of interval meters, as text. The energy of a minute follows from device and time alone: each hour has its
/// own power, from 0.2 to 2.6 kW, and each minute some noise.
struct ReadingText {
  static let minute = 60
  /// Kilowatt-hours that about one hour in twelve is above.
  static let limit = 2.4

  private(set) var bytes: [UInt8] = []
  /// The last time as text: readings of many devices have the same.
  private var time: (seconds: Int, text: [UInt8]) = (.min, [])

  /// Adds a JSON object. `seconds`: of Unix time.
  mutating func addObject(device: String?, number: Int, at seconds: Int) {
    if let device {
      raw("{\"device_id\":\"")
      bytes.append(contentsOf: device.utf8)
      raw("\",\"timestamp\":\"")
    } else {
      raw("{\"timestamp\":\"")
    }
    if time.seconds != seconds { time = (seconds, Self.text(seconds)) }
    bytes.append(contentsOf: time.text)
    raw("\",\"value\":")
    appendValue(device: number, seconds)
    raw("}")
  }

  mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Millionths of a kilowatt-hour, always less than one of these.
  private mutating func appendValue(device: Int, _ seconds: Int) {
    let hour = Self.noise(device, seconds / 3600)
    let minute = Self.noise(device, seconds / Self.minute)
    var millionths = Int((0.2 + 2.4 * hour) / 60 * (0.95 + 0.1 * minute) * 1e6)
    raw("0.000000")
    for place in 1...6 {
      bytes[bytes.count - place] += UInt8(millionths % 10)
      millionths /= 10
    }
  }

  /// 0 to 1 (SplitMix64).
  private static func noise(_ device: Int, _ number: Int) -> Double {
    var z = UInt64(truncatingIfNeeded: device &* 0x5851_F42D_4C95_7F2D &+ number) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) / Double(1 << 53)
  }

  /// RFC 3339, in UTC.
  static func text(_ seconds: Int) -> [UInt8] {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      let count = strftime(text.baseAddress, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
      return text[..<count].map { UInt8(bitPattern: $0) }
    }
  }
}
