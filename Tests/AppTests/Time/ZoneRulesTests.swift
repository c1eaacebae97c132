import Foundation
import Testing

@testable import App

@Suite struct ZoneRulesTests {
  private static func zone(_ name: String) throws -> ZoneRules {
    try #require(ZoneRules.named(name), "\(name)")
  }

  @Test(arguments: [
    "UTC", "GMT", "Europe/Berlin", "Asia/Kolkata", "Asia/Calcutta", "US/Eastern", "Etc/GMT+5", "Etc/UTC",
    "NZ-CHAT",
    "America/Argentina/Buenos_Aires", "America/North_Dakota/New_Salem", "America/Port-au-Prince",
  ])
  func `a name of the database is taken`(_ name: String) throws {
    #expect(try Self.zone(name).identifier == name)
    #expect(try Self.zone(name) === Self.zone(name))
  }

  @Test(arguments: [
    "", "/", "../etc", "Europe", "Europe/", "Europe/Berlin ", " Europe/Berlin", "Europe/Berlin\0",
    "europe/berlin",
    "EUROPE/BERLIN", "utc", "Utc", "GMT+5", "GMT+0500", "GMT+5/0", "GMT/0", "UTC+3", "UTC/3", "+05:30", "IST",
    "BST",
    "PST", "SystemV/EST5", "Etc/Unknown", "localtime", "/usr/share/zoneinfo/UTC", "posix/Europe/Berlin",
    "Europe/Bérlin", "Ｅurope/Berlin", String(repeating: "A/", count: 33), "Nowhere/City",
  ])
  func `what is no name of the database is refused`(_ name: String) { #expect(ZoneRules.named(name) == nil) }

  /// The last offset before a change of the standard time, and the one after it.
  @Test(arguments: [
    ("Pacific/Apia", "2011-12-30T10:00:00Z", -36_000, 50_400),
    ("Europe/Moscow", "2011-03-26T23:00:00Z", 10_800, 14_400),
    ("Europe/Moscow", "2014-10-25T22:00:00Z", 14_400, 10_800),
    ("Asia/Pyongyang", "2015-08-14T15:00:00Z", 32_400, 30_600),
    ("Asia/Pyongyang", "2018-05-04T15:00:00Z", 30_600, 32_400),
    ("America/Caracas", "2007-12-09T07:00:00Z", -14_400, -16_200),
    ("America/Caracas", "2016-05-01T07:00:00Z", -16_200, -14_400),
    ("Asia/Kathmandu", "1985-12-31T18:30:00Z", 19_800, 20_700),
    ("Africa/Casablanca", "2026-02-15T02:00:00Z", 3_600, 0),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z", 0, 3_600),
    ("Africa/Monrovia", "1972-01-07T00:44:30Z", -2_670, 0),
    ("Europe/Berlin", "2099-10-25T01:00:00Z", 7_200, 3_600),
    ("Antarctica/Casey", "2022-10-01T16:01:00Z", 28_800, 39_600),
  ])
  func `a change is found, of the standard time too`(
    _ name: String, _ text: String, before: Int64, after: Int64
  ) throws {
    let zone = try Self.zone(name)
    let change = try #require(Timestamp(text)).milliseconds
    #expect(zone.offset(at: change - 1) == before)
    #expect(zone.offset(at: change) == after)
    #expect(Array(zone.transitions(in: change..<change + 1)) == [change])
    #expect(zone.transitions(in: change + 1..<change + 86_400_000).isEmpty)
    #expect(zone.transitions(in: change - 86_400_000..<change).isEmpty)
  }

  @Test func `Istanbul leaves winter time behind in 2016`() throws {
    let zone = try Self.zone("Europe/Istanbul")
    let last = try #require(zone.transitions(in: .min..<Int64.max).last)
    #expect(Timestamp(milliseconds: last).text == "2016-03-27T01:00:00.000Z")
    #expect(zone.offset(at: .max) == 10_800)
  }

  @Test func `a zone that never changes has one span`() throws {
    let zone = try Self.zone("UTC")
    #expect(zone.transitions(in: .min..<Int64.max).isEmpty)
    for instant in [Int64.min, -1, 0, 4_102_444_800_000, .max] {
      #expect(zone.span(at: instant) == ZoneRules.Span(start: .min, end: .max, offset: 0))
    }
  }

  @Test func `a span ends where the next begins`() throws {
    let zone = try Self.zone("Australia/Lord_Howe")
    var span = zone.span(at: .min)
    var ends: [Int64] = []
    while span.end < .max {
      ends.append(span.end)
      let next = zone.span(at: span.end)
      #expect(next.start == span.end && next.offset != span.offset)
      #expect(zone.span(at: span.end - 1) == span)
      span = next
    }
    #expect(ends == Array(zone.transitions(in: .min..<Int64.max)))
    #expect(ends.count > 200)
  }

  @Test(arguments: [
    ("Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00.000Z"),
    ("Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00.000Z"),
    ("Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00.000Z"),
    ("America/Havana", "2026-11-01T00:00:00Z", "2026-11-01T04:00:00.000Z"),
  ])
  func `a skipped local time is the end of the gap, and a double one the first`(
    _ name: String, _ local: String, _ instant: String
  ) throws {
    let local = try #require(Timestamp(local)).milliseconds
    #expect(Timestamp(milliseconds: try Self.zone(name).firstInstant(atLocal: local)).text == instant)
  }

  @Test func `the table says what Foundation says`() throws {
    var random = SeededGenerator(seed: 1)
    for name in TimeZone.knownTimeZoneIdentifiers {
      guard let rules = ZoneRules.named(name), let zone = TimeZone(identifier: name) else {
        Issue.record("\(name)")
        continue
      }
      let instants = (0..<100).map { _ in Int64.random(in: ZoneRules.supported, using: &random) }
      let wrong = instants.filter {
        rules.offset(at: $0)
          != Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0) / 1000)))
      }
      #expect(wrong.isEmpty, "\(name)")
    }
  }
}
