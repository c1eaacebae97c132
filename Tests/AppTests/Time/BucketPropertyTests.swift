import Foundation
import Testing

@testable import App

/// What holds for every zone that Foundation knows.
@Suite struct BucketPropertyTests {
  private static let zones = TimeZone.knownTimeZoneIdentifiers.compactMap(ZoneRules.named)

  @Test func `there are zones`() { #expect(Self.zones.count == TimeZone.knownTimeZoneIdentifiers.count) }

  @Test(arguments: Granularity.allCases)
  func `buckets follow one another and cover the range`(_ granularity: Granularity) {
    var random = SeededGenerator(seed: 2)
    for rules in Self.zones {
      let from = Int64.random(in: ZoneRules.supported, using: &random)
      let to = min(
        from + .random(in: 1...granularity.usualLength * 40, using: &random), ZoneRules.supported.upperBound)
      let made = CalendarBuckets(from: from, to: to, granularity: granularity, rules: rules, maximum: 200)
      #expect(fault(made, from, to, granularity, rules) == nil, "\(rules.identifier) \(from) \(to)")
    }
  }

  private func fault(
    _ made: CalendarBuckets, _ from: Int64, _ to: Int64, _ granularity: Granularity, _ rules: ZoneRules
  ) -> String? {
    guard let first = made.buckets.first, let last = made.buckets.last, !made.hasMore else {
      return "not all"
    }
    guard first.start <= from, from < first.end, last.start < to, to <= last.end else { return "not covered" }
    guard zip(made.buckets, made.buckets.dropFirst()).allSatisfy({ $0.end == $1.start }) else {
      return "a gap"
    }
    guard made.buckets.reduce(0, { $0 + $1.end - $1.start }) == last.end - first.start else {
      return "the sum"
    }
    let boundaries = BucketBoundaries(granularity: granularity, rules: rules)
    for bucket in made.buckets {
      guard bucket.start < bucket.end, bucket.start % 900_000 == 0 else { return "no base buckets" }
      guard Timestamp(bucket.label)?.milliseconds == bucket.start || bucket.offset % 60 != 0 else {
        return bucket.label
      }
      for inside in [bucket.start, (bucket.start + bucket.end) / 2, bucket.end - 1]
      where ZoneRules.supported.contains(inside) {
        guard boundaries.floor(inside) == bucket.start, boundaries.next(after: inside) == bucket.end else {
          return "floor of \(inside)"
        }
      }
    }
    return nil
  }

  /// Looks at a clock made by Foundation at the end of every minute, and notes when it shows another hour or has
  /// been set, or a later date than ever.
  @Test func `around a change the boundaries are where a clock shows them`() throws {
    var random = SeededGenerator(seed: 3)
    for rules in Self.zones {
      guard let change = rules.transitions(in: ZoneRules.supported).randomElement(using: &random) else {
        continue
      }
      let zone = try #require(TimeZone(identifier: rules.identifier))
      let quarter = change - change % 900_000
      let (from, to) = (quarter - 30 * 3_600_000, quarter + 30 * 3_600_000)
      let seen = ClockWatch(zone, from: from, to: to)
      for (granularity, expected) in [(Granularity.hour, seen.hours), (.day, seen.days)] {
        let made = CalendarBuckets(
          from: max(from, 0), to: to, granularity: granularity, rules: rules, maximum: 200)
        #expect(made.buckets.map(\.start).filter { $0 >= from } == expected, "\(rules.identifier) \(change)")
        #expect(fault(made, max(from, 0), to, granularity, rules) == nil, "\(rules.identifier) \(change)")
      }
    }
  }

  @Test func `a month begins with a day whose date is the first of its month`() {
    var random = SeededGenerator(seed: 4)
    for rules in Self.zones {
      let instant = Int64.random(in: ZoneRules.supported, using: &random)
      let start = BucketBoundaries(granularity: .month, rules: rules).floor(instant)
      guard start >= 0 else { continue }
      #expect(BucketBoundaries(granularity: .day, rules: rules).floor(start) == start)
      let end = start + Granularity.base - 1
      let date = CivilDate(
        daysSince1970: (end + rules.offset(at: end) * 1000).dividedDown(by: 86_400_000).quotient)
      let now = CivilDate(
        daysSince1970: (instant + rules.offset(at: instant) * 1000).dividedDown(by: 86_400_000).quotient)
      #expect(date == CivilDate(year: now.year, month: now.month, day: 1), "\(rules.identifier) \(instant)")
    }
  }
}

/// The 15-minute starts of the minutes in which a zone's clock began an hour or a date.
private struct ClockWatch {
  private(set) var hours: [Int64] = []
  private(set) var days: [Int64] = []

  init(_ zone: TimeZone, from: Int64, to: Int64) {
    func offset(_ instant: Int64) -> Int64 {
      Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant) / 1000)))
    }
    func day(_ instant: Int64) -> Int64 {
      (instant + offset(instant) * 1000).dividedDown(by: 86_400_000).quotient
    }
    func hour(_ instant: Int64) -> [Int64] {
      [offset(instant), (instant + offset(instant) * 1000).dividedDown(by: 3_600_000).quotient]
    }
    var latest = day(from - 1)
    for minute in stride(from: from, to: to, by: 60_000) {
      let end = minute + 59_999
      let quarter = minute - minute.dividedDown(by: 900_000).remainder
      if hour(end) != hour(minute - 1), hours.last != quarter { hours.append(quarter) }
      if day(end) > latest {
        latest = day(end)
        days.append(quarter)
      }
    }
  }
}
