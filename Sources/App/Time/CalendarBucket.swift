/// A stretch of time, in milliseconds since 1970, from a local hour, day or month.
struct CalendarBucket: Sendable, Equatable {
  let start: Int64
  /// The first instant outside.
  let end: Int64
  /// Seconds that the local clock is ahead of UTC at the start.
  let offset: Int64

  /// The start on the local clock: `2026-03-29T03:00:00+02:00`.
  var label: String {
    var bytes: [UInt8] = []
    appendLabel(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Adds the 25 bytes of the label to a buffer.
  ///
  /// RFC 3339 has no seconds in an offset: one that has them is rounded down to a minute, and the time with it,
  /// so that the label names the very instant of the start.
  func appendLabel(to bytes: inout [UInt8]) {
    let minutes = offset.dividedDown(by: 60).quotient
    let (days, inDay) = (start / 60_000 + minutes).dividedDown(by: 1440)
    let date = CivilDate(daysSince1970: days)
    appendPair(date.year / 100, to: &bytes)
    appendPair(date.year % 100, UInt8(ascii: "-"), to: &bytes)
    appendPair(date.month, UInt8(ascii: "-"), to: &bytes)
    appendPair(date.day, UInt8(ascii: "T"), to: &bytes)
    appendPair(inDay / 60, UInt8(ascii: ":"), to: &bytes)
    appendPair(inDay % 60, UInt8(ascii: ":"), to: &bytes)
    appendPair(0, minutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"), to: &bytes)
    appendPair(abs(minutes) / 60, UInt8(ascii: ":"), to: &bytes)
    appendPair(abs(minutes) % 60, to: &bytes)
  }

  /// A number below 100.
  private func appendPair(_ number: Int64, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
    bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }

  private func appendPair(_ number: Int64, _ separator: UInt8, to bytes: inout [UInt8]) {
    appendPair(number, to: &bytes)
    bytes.append(separator)
  }
}
