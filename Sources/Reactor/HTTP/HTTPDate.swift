/// A time as `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7): 29 bytes, rendered once a
/// second.
struct HTTPDate: Sendable {
  private(set) var bytes: InlineArray<29, UInt8>

  /// Times outside the years 0 to 9999 are taken as the nearest one inside: the form has four digits.
  init(unixSeconds: Int) {
    let seconds = min(max(unixSeconds, -62_167_219_200), 253_402_300_799)
    let day = Self.floored(seconds, by: 86_400)
    let time = seconds - day * 86_400
    let date = Self.civil(day: day)
    bytes = InlineArray(repeating: .space)
    put(Self.name(Self.weekdays, (day % 7 + 11) % 7), at: 0)  // day 0 was a Thursday
    bytes[3] = UInt8(ascii: ",")
    put(number: date.day, digits: 2, at: 5)
    put(Self.name(Self.months, date.month - 1), at: 8)
    put(number: date.year, digits: 4, at: 12)
    put(number: time / 3600, digits: 2, at: 17)
    bytes[19] = UInt8(ascii: ":")
    put(number: time / 60 % 60, digits: 2, at: 20)
    bytes[22] = UInt8(ascii: ":")
    put(number: time % 60, digits: 2, at: 23)
    put((UInt8(ascii: "G"), UInt8(ascii: "M"), UInt8(ascii: "T")), at: 26)
  }

  private static var weekdays: StaticString { "SunMonTueWedThuFriSat" }
  private static var months: StaticString { "JanFebMarAprMayJunJulAugSepOctNovDec" }

  private static func name(_ names: StaticString, _ index: Int) -> (UInt8, UInt8, UInt8) {
    let start = names.utf8Start + 3 * index
    return (start[0], start[1], start[2])
  }

  private static func floored(_ number: Int, by divisor: Int) -> Int {
    (number >= 0 ? number : number - divisor + 1) / divisor
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01. Years are reckoned from 1 March of year
  /// 0, so that the leap day is a year's last, in eras of 400 years (146,097 days).
  private static func civil(day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = floored(shifted, by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private mutating func put(_ name: (UInt8, UInt8, UInt8), at offset: Int) {
    bytes[offset] = name.0
    bytes[offset + 1] = name.1
    bytes[offset + 2] = name.2
  }

  private mutating func put(number: Int, digits: Int, at offset: Int) {
    var rest = number
    for i in (offset..<offset + digits).reversed() {
      bytes[i] = UInt8(rest % 10) + 0x30
      rest /= 10
    }
  }
}

extension ByteSink {
  mutating func append(_ date: HTTPDate) {
    date.bytes.span.bytes.withUnsafeBytes { append($0) }
  }
}
