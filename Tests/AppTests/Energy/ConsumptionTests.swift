import Testing

@testable import App

@Suite struct `The consumption of local days` {
  /// A zone, a date, and the hours that its clock's day has.
  static let days: [(String, String, Int64)] = [
    ("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25),
    ("Europe/Berlin", "2026-06-01", 24),
    ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25),
    ("Australia/Adelaide", "2026-04-05", 25), ("Australia/Adelaide", "2026-10-04", 23),
    ("Asia/Kolkata", "2026-03-29", 24), ("Africa/Casablanca", "2026-06-01", 24),
    ("America/Santiago", "2026-09-06", 23),
    ("America/Santiago", "2026-04-04", 25), ("Pacific/Chatham", "2026-04-05", 25), ("UTC", "2026-03-29", 24),
  ]

  @Test(arguments: days) func `have as many hours as the clock shows`(
    _ zone: String, _ date: String, _ hours: Int64
  ) async throws {
    let rules = try #require(ZoneRules.named(zone))
    let start = try #require(Timestamp(query: date, in: rules)).milliseconds
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(zone: zone)
    // A kilowatt-hour in each hour, from the day before to the day after.
    let (from, to) = (start - 86_400_000, start + 3 * 86_400_000)
    try await fixture.send([Reading(end: to, start: from, value: Double((to - from) / 3_600_000))], to: meter)
    let sums = try sums(fixture, meter, start, start + hours * 3_600_000, .day, rules)
    #expect(sums.map(\.energy.count) == [hours * 1_000_000_000] && sums.map(\.covered) == [hours * 3_600_000])
  }

  @Test(arguments: days) func `add up to their hours and quarters`(
    _ zone: String, _ date: String, _ hours: Int64
  ) async throws {
    let rules = try #require(ZoneRules.named(zone))
    let start = try #require(Timestamp(query: date, in: rules)).milliseconds
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(zone: zone)
    var random = SeededGenerator(seed: 5)
    let readings = (0..<200).map { _ in
      let end = start + Int64.random(in: 1...minutes(hours * 60), using: &random)
      return Reading(
        end: end, start: end - .random(in: 1...1_000_000, using: &random),
        value: .random(in: 0...3, using: &random))
    }
    try await fixture.send(readings, to: meter)
    let end = start + hours * 3_600_000
    let day = try #require(try sums(fixture, meter, start, end, .day, rules).first)
    for granularity in [Granularity.quarterHour, .hour] {
      let parts = try sums(fixture, meter, start, end, granularity, rules)
      #expect(parts.reduce(0) { $0 + $1.energy.count } == day.energy.count)
      #expect(parts.reduce(0) { $0 + $1.covered } == day.covered)
      #expect(parts.reduce(0) { $0 + $1.revision } == day.revision)
    }
    #expect(day.covered < hours * 3_600_000 && day.energy > .zero)
  }

  private func sums(
    _ fixture: EnergyFixture, _ meter: Int64, _ from: Int64, _ to: Int64, _ granularity: Granularity,
    _ rules: ZoneRules
  ) throws -> [Consumption.Sum] {
    let made = CalendarBuckets(from: from, to: to, granularity: granularity, rules: rules, maximum: 1000)
    #expect(!made.hasMore && made.buckets.first?.start == from && made.buckets.last?.end == to)
    return try fixture.store.read { try Consumption.sums(of: meter, over: made.buckets, $0) }
  }
}

@Suite struct `Sums over stretches` {
  @Test func `take a quarter to where it begins, and leave out what lies outside`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter()
    try await fixture.send([at(180, 12, from: 0)], to: meter)
    let made = CalendarBuckets(
      from: midnight + minutes(60), to: midnight + minutes(120) + 1, granularity: .hour, rules: .utc,
      maximum: 9)
    let sums = try fixture.store.read { try Consumption.sums(of: meter, over: made.buckets, $0) }
    #expect(sums.map(\.energy.kilowattHours) == [4, 4])
    #expect(try fixture.store.read { try Consumption.sums(of: meter, over: [], $0) }.isEmpty)
    #expect(
      try fixture.store.read { try Consumption.sums(of: meter + 1, over: made.buckets, $0) } == [
        .init(), .init(),
      ])
  }
}
