import Testing

@testable import App

@Suite struct CalendarBucketsTests {
  private func buckets(
    _ zone: String, _ from: String, _ to: String, _ granularity: Granularity, maximum: Int = 1000
  ) throws -> CalendarBuckets {
    let rules = try #require(ZoneRules.named(zone))
    return CalendarBuckets(
      from: try #require(Timestamp(query: from, in: rules)).milliseconds,
      to: try #require(Timestamp(query: to, in: rules)).milliseconds,
      granularity: granularity, rules: rules, maximum: maximum)
  }

  /// Zone, local date, label, minutes.
  @Test(arguments: [
    ("UTC", "2026-03-29", "2026-03-29T00:00:00+00:00", 1440),
    ("Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00", 1380),
    ("Europe/Berlin", "2026-03-30", "2026-03-30T00:00:00+02:00", 1440),
    ("Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+02:00", 1500),
    ("America/New_York", "2026-03-08", "2026-03-08T00:00:00-05:00", 1380),
    ("America/New_York", "2026-11-01", "2026-11-01T00:00:00-04:00", 1500),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-05T00:00:00+11:00", 1470),
    ("Australia/Lord_Howe", "2026-10-04", "2026-10-04T00:00:00+10:30", 1410),
    ("America/Sao_Paulo", "2018-02-17", "2018-02-17T00:00:00-02:00", 1500),
    ("America/Sao_Paulo", "2018-02-18", "2018-02-18T00:00:00-03:00", 1440),
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00", 1380),
    ("Africa/Cairo", "2023-04-28", "2023-04-28T01:00:00+03:00", 1380),
    ("Africa/Cairo", "2023-10-26", "2023-10-26T00:00:00+03:00", 1500),
    ("Africa/Cairo", "2024-04-26", "2024-04-26T01:00:00+03:00", 1380),
    ("Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00", 1380),
    ("Asia/Beirut", "2026-10-24", "2026-10-24T00:00:00+03:00", 1500),
    ("Asia/Beirut", "2026-10-25", "2026-10-25T00:00:00+02:00", 1440),
    ("Pacific/Apia", "2011-12-29", "2011-12-29T00:00:00-10:00", 1440),
    ("Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00", 1440),
    ("Pacific/Apia", "2020-09-27", "2020-09-27T00:00:00+13:00", 1380),
    ("Asia/Kolkata", "2026-07-01", "2026-07-01T00:00:00+05:30", 1440),
    ("Asia/Kathmandu", "1985-12-31", "1985-12-31T00:00:00+05:30", 1440),
    ("Asia/Kathmandu", "1986-01-01", "1986-01-01T00:15:00+05:45", 1425),
    ("Asia/Kathmandu", "2026-01-01", "2026-01-01T00:00:00+05:45", 1440),
    ("America/St_Johns", "2010-11-06", "2010-11-06T00:00:00-02:30", 1440),
    ("America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30", 1500),
    ("America/St_Johns", "2026-03-08", "2026-03-08T00:00:00-03:30", 1380),
    ("America/St_Johns", "2026-11-01", "2026-11-01T00:00:00-02:30", 1500),
    ("Atlantic/Azores", "2026-03-29", "2026-03-29T01:00:00+00:00", 1380),
    ("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00+00:00", 1500),
    ("America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00", 1380),
    ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00", 1500),
    ("Antarctica/Casey", "2022-10-02", "2022-10-02T00:00:00+08:00", 1260),
    ("Pacific/Kwajalein", "1993-08-20", "1993-08-20T00:00:00-12:00", 1440),
  ])
  func `a local day has its own length`(_ zone: String, _ date: String, _ label: String, _ minutes: Int64)
    throws
  {
    let rules = try #require(ZoneRules.named(zone))
    let start = try #require(Timestamp(query: date, in: rules)).milliseconds
    let days = CalendarBuckets(from: start, to: start + 1, granularity: .day, rules: rules, maximum: 10)
    #expect(days.buckets.map(\.label) == [label])
    #expect(days.buckets.map(\.start) == [start])
    #expect(days.buckets.map { ($0.end - $0.start) / 60_000 } == [minutes])
    #expect(Timestamp(label)?.milliseconds == start)
  }

  @Test func `a date that never was has no bucket`() throws {
    let days = try buckets("Pacific/Apia", "2011-12-29", "2012-01-01", .day)
    #expect(days.buckets.map(\.label) == ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"])
  }

  /// Zone, date, where the day's hours begin that are not of 60 minutes or follow a change, as label and minutes.
  @Test(arguments: [
    (
      "Australia/Lord_Howe", "2026-10-04T01:00:00+10:30", "2026-10-04T04:00:00+11:00",
      ["2026-10-04T01:00:00+10:30 60", "2026-10-04T02:30:00+11:00 30", "2026-10-04T03:00:00+11:00 60"]
    ),
    (
      "Australia/Lord_Howe", "2026-04-05T01:00:00+11:00", "2026-04-05T03:00:00+10:30",
      ["2026-04-05T01:00:00+11:00 60", "2026-04-05T01:30:00+10:30 30", "2026-04-05T02:00:00+10:30 60"]
    ),
    (
      "Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-29T04:00:00+02:00",
      ["2026-03-29T01:00:00+01:00 60", "2026-03-29T03:00:00+02:00 60"]
    ),
    (
      "Europe/Berlin", "2026-10-25T02:00:00+02:00", "2026-10-25T04:00:00+01:00",
      ["2026-10-25T02:00:00+02:00 60", "2026-10-25T02:00:00+01:00 60", "2026-10-25T03:00:00+01:00 60"]
    ),
    (
      "Asia/Kathmandu", "1985-12-31T23:59:00+05:30", "1986-01-01T01:01:00+05:45",
      ["1985-12-31T23:00:00+05:30 60", "1986-01-01T00:15:00+05:45 45", "1986-01-01T01:00:00+05:45 60"]
    ),
    (
      "Asia/Kolkata", "2026-07-01T00:10:00+05:30", "2026-07-01T01:10:00+05:30",
      ["2026-07-01T00:00:00+05:30 60", "2026-07-01T01:00:00+05:30 60"]
    ),
    // Both set their clock at 00:01: back by an hour, and ahead by three.
    (
      "America/St_Johns", "2010-11-07T00:00:30-02:30", "2010-11-07T00:01:00-03:30",
      ["2010-11-07T00:00:00-02:30 60", "2010-11-07T00:00:00-03:30 60"]
    ),
    (
      "Antarctica/Casey", "2022-10-02T00:00:00+08:00", "2022-10-02T05:00:00+11:00",
      ["2022-10-02T00:00:00+08:00 60", "2022-10-02T04:00:00+11:00 60"]
    ),
    // The clock was 44 minutes and 30 seconds behind, and was set ahead at local midnight.
    (
      "Africa/Monrovia", "1972-01-06T23:44:30Z", "1972-01-07T01:00:00Z",
      ["1972-01-06T22:45:00-00:45 60", "1972-01-06T23:45:00-00:45 30"]
    ),
  ])
  func `hours are those of the local clock`(
    _ zone: String, _ from: String, _ to: String, _ expected: [String]
  ) throws {
    let hours = try buckets(zone, from, to, .hour)
    #expect(hours.buckets.map { "\($0.label) \(($0.end - $0.start) / 60_000)" } == expected)
  }

  @Test func `months begin with their first day`() throws {
    let berlin = try buckets("Europe/Berlin", "2026-02-10", "2026-04-01", .month)
    #expect(berlin.buckets.map(\.label) == ["2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"])
    #expect(berlin.buckets.map { ($0.end - $0.start) / 3_600_000 } == [672, 743])
    // Morocco set its clock ahead at midnight on 1 June 1978.
    let morocco = try buckets("Africa/Casablanca", "1978-06-02", "1978-06-03", .month)
    #expect(morocco.buckets.map(\.label) == ["1978-06-01T01:00:00+01:00"])
  }

  @Test func `quarters are those of UTC`() throws {
    let quarters = try buckets(
      "Asia/Kathmandu", "2026-01-01T00:14:59Z", "2026-01-01T00:30:00.001Z", .quarterHour)
    #expect(
      quarters.buckets.map(\.label) == [
        "2026-01-01T05:45:00+05:45", "2026-01-01T06:00:00+05:45", "2026-01-01T06:15:00+05:45",
      ])
  }

  @Test func `no more buckets are made than asked for`() throws {
    let rules = ZoneRules.utc
    let whole = CalendarBuckets(from: .min, to: .max, granularity: .quarterHour, rules: rules, maximum: 3)
    #expect(whole.buckets.map(\.start) == [0, 900_000, 1_800_000])
    #expect(whole.hasMore)
    let day = try buckets("Europe/Berlin", "2026-03-29", "2026-03-30", .hour, maximum: 23)
    #expect(day.buckets.count == 23 && !day.hasMore)
    #expect(try buckets("Europe/Berlin", "2026-03-29", "2026-03-30", .hour, maximum: 22).hasMore)
    for maximum in [0, -1, .min] {
      let none = CalendarBuckets(from: 0, to: 1, granularity: .day, rules: rules, maximum: maximum)
      #expect(none.buckets.isEmpty && none.hasMore)
    }
  }

  @Test(arguments: Granularity.allCases)
  func `any instant is taken`(_ granularity: Granularity) throws {
    let edges = [Int64.min, .min + 1, -1, 0, 1, 4_102_444_799_999, 4_102_444_800_000, .max - 1, .max]
    for name in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Monrovia"] {
      let rules = try #require(ZoneRules.named(name))
      let boundaries = BucketBoundaries(granularity: granularity, rules: rules)
      for from in edges {
        let inside = min(max(from, 0), 4_102_444_800_000)
        #expect(boundaries.floor(from) <= inside && inside < boundaries.next(after: from))
        for to in edges {
          let made = CalendarBuckets(from: from, to: to, granularity: granularity, rules: rules, maximum: 2)
          #expect(made.buckets.isEmpty == (inside >= min(max(to, 0), 4_102_444_800_000)))
        }
      }
    }
  }

  @Test func `a label is added behind what is there`() {
    var bytes = Array("{".utf8)
    CalendarBucket(start: 0, end: 1, offset: -34_200).appendLabel(to: &bytes)
    #expect(bytes == Array("{1969-12-31T14:30:00-09:30".utf8))
  }
}
