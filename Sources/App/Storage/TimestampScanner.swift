/// Reads RFC 3339 §5.6 `date-time`, strictly: every digit in its place.
struct TimestampScanner {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Milliseconds since 1970.
  mutating func scan() -> Int64? {
    guard let year = digits(4), year > 0, skip("-"), let month = digits(2), skip("-"), let day = digits(2),
      let date = CivilDate(year: year, month: month, day: day), skip("T") || skip("t"),
      let time = timeOfDay(), let offset = offset(), position == bytes.count
    else { return nil }
    return date.daysSince1970 * 86_400_000 + time - offset
  }

  /// A leap second (`:60`) counts as the last millisecond before the next minute: POSIX time has no place for
  /// it.
  private mutating func timeOfDay() -> Int64? {
    guard let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60, skip(":"),
      let second = digits(2), second <= 60, let fraction = fraction()
    else { return nil }
    return hour * 3_600_000 + minute * 60_000 + (second == 60 ? 59_999 : second * 1000 + fraction)
  }

  private mutating func fraction() -> Int64? {
    guard skip(".") else { return 0 }
    var milliseconds: Int64 = 0
    var count = 0
    while let digit = digits(1) {
      if count < 3 { milliseconds = milliseconds * 10 + digit }
      count += 1
    }
    for _ in 0..<max(0, 3 - count) { milliseconds *= 10 }
    return count > 0 ? milliseconds : nil
  }

  private mutating func offset() -> Int64? {
    if skip("Z") || skip("z") { return 0 }
    let west = skip("-")
    guard west || skip("+"), let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60
    else { return nil }
    return (west ? -1 : 1) * (hour * 3_600_000 + minute * 60_000)
  }

  private mutating func digits(_ count: Int) -> Int64? {
    guard position + count <= bytes.count else { return nil }
    var number: Int64 = 0
    for byte in bytes[position..<position + count] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    position += count
    return number
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }
}
