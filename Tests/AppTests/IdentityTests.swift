import Testing

@testable import App

@Suite struct EntityIDTests {
  @Test(arguments: [Int64(1), 9, 10, 12, 1_000_000, .max])
  func `an id is read as it was written`(_ number: Int64) {
    var bytes: [UInt8] = []
    EntityID.user.append(number, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "u\(number)")
    #expect(EntityID.user.text(number) == "u\(number)")
    #expect(EntityID.user.parse("u\(number)") == number)
  }

  @Test(arguments: [
    "", "u", "u01", "u-1", "u+1", "u 1", "u1 ", "c1", "U1", "1", "u1x", "u１", "u9223372036854775808",
    "u99999999999999999999",
  ])
  func `only the canonical text is an id`(_ text: String) { #expect(EntityID.user.parse(text) == nil) }

  @Test(arguments: [Int64.min, -1, 0, 7, .max])
  func `any number is written in decimal`(_ number: Int64) {
    var bytes: [UInt8] = []
    appendDecimal(number, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "\(number)")
  }
}

@Suite struct TimestampTests {
  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (1_795_460_400_000, "2026-11-23T19:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
    (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
  ])
  func `a time is written and read alike`(_ milliseconds: Int64, _ text: String) {
    #expect(Timestamp(milliseconds: milliseconds).text == text)
    #expect(Timestamp(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    ("2026-11-23T20:00:00+01:00", Int64(1_795_460_400_000)),
    ("2026-11-23t14:30:00.5-04:30", 1_795_460_400_500),
    ("2026-11-23T19:00:00.123999z", 1_795_460_400_123), ("2016-12-31T23:59:60Z", 1_483_228_799_999),
  ])
  func `every form of RFC 3339 is read`(_ text: String, _ milliseconds: Int64) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-11-23T19:00:00", "2026-11-23 19:00:00Z", "2026-13-01T00:00:00Z",
    "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T19:60:00Z",
    "2026-11-23T19:00:61Z", "2026-11-23T19:00:00.Z", "2026-11-23T19:00:00+1:00", "2026-11-23T19:00:00Zx",
    "0000-01-01T00:00:00Z", "+026-11-23T19:00:00Z", "2026-11-23T19:00:00+24:00",
  ])
  func `what is no RFC 3339 time is refused`(_ text: String) { #expect(Timestamp(text) == nil) }

  @Test func `a time out of range is written as the nearest that has a text`() {
    #expect(Timestamp(milliseconds: .max).text == "9999-12-31T23:59:59.999Z")
    #expect(Timestamp(milliseconds: .min).text == "0001-01-01T00:00:00.000Z")
  }

  @Test func `every day from 1600 to 2400 is followed by the next`() {
    var date = CivilDate(daysSince1970: -135_140)
    #expect(date == CivilDate(year: 1600, month: 1, day: 1))
    for day in -135_140...157_054 {
      date = CivilDate(daysSince1970: Int64(day))
      guard date.daysSince1970 == Int64(day),
        CivilDate(year: date.year, month: date.month, day: date.day) == date
      else {
        Issue.record("day \(day)")
        return
      }
    }
    #expect(date == CivilDate(year: 2400, month: 1, day: 1))
  }
}

@Suite struct Base64URLTests {
  @Test(arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")])
  func `the vectors of RFC 4648, without padding`(_ plain: String, _ text: String) {
    #expect(Base64URL.encode(plain.utf8) == text)
    #expect(Base64URL.decode(text.utf8) == Array(plain.utf8))
  }

  @Test func `the alphabet is the one for URLs`() {
    #expect(Base64URL.encode([0xFB, 0xEF, 0xFF]) == "--__")
    #expect(Base64URL.decode("--__".utf8) == [0xFB, 0xEF, 0xFF])
  }

  @Test(arguments: ["Z", "Zg==", "Zm9v=", "Zm+v", "Zm/v", "Zh", "Zm9", "Z g", "Zm9v\n", "Zgé"])
  func `what is not canonical is refused`(_ text: String) { #expect(Base64URL.decode(text.utf8) == nil) }
}
