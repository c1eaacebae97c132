import Glibc

/// Milliseconds since 1970, which outside are RFC 3339 in UTC with three decimals:
/// `2026-11-23T19:00:00.000Z`.
///
/// Written by hand because every chat frame carries one: Foundation's formatter costs some microseconds and
/// allocations each. Years 0001 to 9999.
public struct Timestamp: Sendable, Hashable, Comparable {
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// The wall clock, now.
  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

  public var text: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Adds the 24 bytes of the text to a buffer.
  public func append(to bytes: inout [UInt8]) {
    let clamped = min(max(milliseconds, Self.earliest), Self.latest)
    let (days, inDay) = clamped.dividedDown(by: 86_400_000)
    let date = CivilDate(daysSince1970: days)
    appendPadded(date.year, 4, UInt8(ascii: "-"), to: &bytes)
    appendPadded(date.month, 2, UInt8(ascii: "-"), to: &bytes)
    appendPadded(date.day, 2, UInt8(ascii: "T"), to: &bytes)
    appendPadded(inDay / 3_600_000, 2, UInt8(ascii: ":"), to: &bytes)
    appendPadded(inDay / 60_000 % 60, 2, UInt8(ascii: ":"), to: &bytes)
    appendPadded(inDay / 1000 % 60, 2, UInt8(ascii: "."), to: &bytes)
    appendPadded(inDay % 1000, 3, UInt8(ascii: "Z"), to: &bytes)
  }

  private func appendPadded(_ number: Int64, _ width: Int, _ separator: UInt8, to bytes: inout [UInt8]) {
    var divisor: Int64 = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
    bytes.append(separator)
  }

  private static let earliest: Int64 = -62_135_596_800_000
  private static let latest: Int64 = 253_402_300_799_999
}

extension Timestamp {
  /// Reads any RFC 3339 date-time (§5.6), with its offset; what is finer than a millisecond is cut. nil if it
  /// is none.
  public init?(_ text: String) {
    var text = text
    guard let parsed = text.withUTF8({ Timestamp(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = parsed
  }

  public init?(_ bytes: UnsafeRawBufferPointer) {
    var scanner = TimestampScanner(bytes)
    guard let milliseconds = scanner.scan() else { return nil }
    self.init(milliseconds: milliseconds)
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let parsed = Timestamp(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no RFC 3339 date-time")
    }
    self = parsed
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
