import Testing

@testable import App

/// Midnight UTC, where nearly all of these begin.
let midnight: Int64 = 1_767_225_600_000

/// Milliseconds.
func minutes(_ count: Int64) -> Int64 { count * 60_000 }

/// A reading that many minutes after midnight.
func at(_ minute: Int64, _ value: Double, from start: Int64? = nil) -> Reading {
  Reading(end: midnight + minutes(minute), start: start.map { midnight + minutes($0) }, value: value)
}

private let kilowattHour: Int64 = 1_000_000_000

@Suite struct `A quarter of an interval metric` {
  @Test(
    arguments: [
      // The end is outside: what ends on a quarter's border is all of the one before.
      ([at(15, 1, from: 0)], [0: [kilowattHour, 900_000]]),
      ([at(60, 1, from: 45)], [3: [kilowattHour, 900_000]]),
      // The very first has nobody before it: its quarter, up to its end.
      ([at(15, 1)], [0: [kilowattHour, 900_000]]),
      ([at(20, 1)], [1: [kilowattHour, 300_000]]),
      ([at(20, 1), at(40, 4)], [1: [3 * kilowattHour, 900_000], 2: [2 * kilowattHour, 600_000]]),
      // Late, between two: the later one's time becomes shorter.
      (
        [at(15, 1), at(45, 2), at(30, 4)],
        [0: [kilowattHour, 900_000], 1: [4 * kilowattHour, 900_000], 2: [2 * kilowattHour, 900_000]]
      ),
      // What two cover counts for both, and is covered once.
      (
        [at(15, 1, from: 0), at(20, 2, from: 10)],
        [0: [2 * kilowattHour, 900_000], 1: [kilowattHour, 300_000]]
      ),
      // A gap is not covered, and no zero.
      (
        [at(15, 1, from: 0), at(60, 1, from: 45)], [0: [kilowattHour, 900_000], 3: [kilowattHour, 900_000]]
      ),
      // Zero that was measured is covered.
      ([at(15, 0, from: 0)], [0: [0, 900_000]]),
      ([at(15, -0.0, from: 0)], [0: [0, 900_000]]),
      ([at(15, .leastNonzeroMagnitude, from: 0)], [0: [0, 900_000]]),
      // A millisecond on either side of a border.
      ([Reading(end: midnight, start: midnight - 1, value: 1)], [-1: [kilowattHour, 1]]),
      ([Reading(end: midnight + 1, start: midnight, value: 1)], [0: [kilowattHour, 1]]),
      (
        [Reading(end: midnight + 1, start: midnight - 1, value: 1)],
        [-1: [kilowattHour / 2, 1], 0: [kilowattHour / 2, 1]]
      ),
      // A third has no last digit: the parts add up to the whole.
      ([at(45, 0.001, from: 0)], [0: [333_333, 900_000], 1: [333_333, 900_000], 2: [333_334, 900_000]]),
      // A correction takes the place of what was there, with its start or without.
      ([at(30, 2, from: 0), at(30, 1, from: 15)], [1: [kilowattHour, 900_000]]),
      (
        [at(15, 1, from: 0), at(30, 2, from: 0), at(30, 2)],
        [0: [kilowattHour, 900_000], 1: [2 * kilowattHour, 900_000]]
      ),
      // A short one that begins before the border and ends after others do.
      (
        [at(20, 1, from: 15), at(25, 2, from: 10), at(5, 1, from: 0)],
        [0: [kilowattHour + 666_666_666, 600_000], 1: [kilowattHour + 1_333_333_334, 600_000]]
      ),
    ] as [([Reading], [Int64: [Int64]])])
  func `holds its share`(_ readings: [Reading], _ expected: [Int64: [Int64]]) async throws {
    let fixture = try EnergyFixture()
    let together = try await fixture.meter()
    try await fixture.send(readings, to: together)
    #expect(try fixture.quarters(of: together, from: midnight) == expected)
    let alone = try await fixture.meter()
    for reading in readings { try await fixture.send([reading], to: alone) }
    #expect(try fixture.quarters(of: alone, from: midnight) == expected)
  }

  /// The time of one without a start becomes shorter on the far side of those that come between, in one batch: near each
  /// other or days apart.
  @Test(arguments: [1, 200] as [Int64])
  func `follows those that name their starts, and come together`(_ scale: Int64) async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter()
    try await fixture.send([at(0, 0), at(60 * scale, 4)], to: meter)
    try await fixture.send(
      [at(30 * scale, 1, from: 30 * scale - 15), at(45 * scale, 1, from: 45 * scale - 15)], to: meter)
    let quarters = try fixture.quarters(of: meter, from: midnight)
    #expect(quarters.values.reduce(0) { $0 + $1[0] } == 6 * kilowattHour)
    #expect(quarters.values.reduce(0) { $0 + $1[1] } == 900_000 * (3 + scale))
    // So does one whose start is taken away, or given, at the same time.
    try await fixture.send(
      [at(60 * scale, 4, from: 60 * scale - 15), at(50 * scale, 1, from: 50 * scale - 15)], to: meter)
    #expect(
      try fixture.quarters(of: meter, from: midnight).values.reduce(0) { $0 + $1[0] } == 7 * kilowattHour)
  }

  @Test func `is known for 400 days and not a millisecond more`() async throws {
    let fixture = try EnergyFixture()
    let days: Int64 = 400 * 86_400_000
    let within = try await fixture.meter()
    try await fixture.send(
      [Reading(end: midnight, value: 0), Reading(end: midnight + days, value: 38_400)], to: within)
    let filled = try fixture.quarters(of: within, from: midnight)
    #expect(filled.count == 38_401 && filled[0] == [kilowattHour, 900_000] && filled[38_399] == filled[0])
    let beyond = try await fixture.meter()
    try await fixture.send(
      [Reading(end: midnight, value: 0), Reading(end: midnight + days + 1, value: 2)], to: beyond)
    #expect(
      try fixture.quarters(of: beyond, from: midnight) == [-1: [0, 900_000], 38_400: [2 * kilowattHour, 1]])
  }
}

@Suite struct `A quarter of a power metric` {
  @Test(
    arguments: [
      ([at(0, 1000), at(15, 1000)], [0: [250_000_000, 900_000]]),
      ([at(0, 0), at(10, 600), at(20, 0)], [0: [87_500_000, 900_000], 1: [12_500_000, 300_000]]),
      // Half an hour says nothing of the time within; nor does a quarter and a millisecond.
      ([at(0, 1000), at(30, 1000)], [:]),
      ([at(0, 1000), Reading(end: midnight + 900_001, value: 1000)], [:]),
      // One that comes late fills the gap.
      ([at(0, 1000), at(30, 1000), at(15, 1000)], [0: [250_000_000, 900_000], 1: [250_000_000, 900_000]]),
      // What flows back counts against what was used.
      ([at(0, -1000), at(15, -1000)], [0: [-250_000_000, 900_000]]),
      ([at(0, -1000), at(15, 1000)], [0: [0, 900_000]]),
      ([at(0, 5)], [:]),
    ] as [([Reading], [Int64: [Int64]])])
  func `is the area under the line`(_ readings: [Reading], _ expected: [Int64: [Int64]]) async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.power)
    try await fixture.send(readings, to: meter)
    #expect(try fixture.quarters(of: meter, from: midnight) == expected)
  }
}

@Suite struct `A register` {
  @Test(
    arguments: [
      ([at(0, 100), at(15, 101)], [0: [kilowattHour, 900_000]], [:]),
      ([at(0, 100), at(15, 100)], [0: [0, 900_000]], [:]),
      // It began anew at zero.
      ([at(0, 100), at(15, 2)], [0: [2 * kilowattHour, 900_000]], [15: [100, 2]]),
      ([at(0, 100), at(15, 0)], [0: [0, 900_000]], [15: [100, 0]]),
      // One that is late shows when it fell.
      (
        [at(0, 100), at(30, 2), at(15, 103)],
        [0: [3 * kilowattHour, 900_000], 1: [2 * kilowattHour, 900_000]], [30: [103, 2]]
      ),
      (
        [at(0, 100), at(30, 2), at(15, 1)], [0: [kilowattHour, 900_000], 1: [kilowattHour, 900_000]],
        [15: [100, 1]]
      ),
      // A correction undoes the fall.
      ([at(0, 100), at(15, 1), at(15, 101)], [0: [kilowattHour, 900_000]], [:]),
      ([at(0, 100), at(15, 1), at(0, 0)], [0: [kilowattHour, 900_000]], [:]),
      ([at(0, 100)], [:], [:]),
      (
        [at(0, 1e9), at(15, 0), at(30, 1e9)], [0: [0, 900_000], 1: [1_000_000_000_000_000_000, 900_000]],
        [15: [1e9, 0]]
      ),
    ] as [([Reading], [Int64: [Int64]], [Int64: [Double]])])
  func `gives its growth, and falls to zero`(
    _ readings: [Reading], _ expected: [Int64: [Int64]], _ falls: [Int64: [Double]]
  ) async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter)
    for reading in readings { try await fixture.send([reading], to: meter) }
    #expect(try fixture.quarters(of: meter, from: midnight) == expected)
    let found = try fixture.resets(of: meter).map {
      (($0.at - midnight) / 60_000, [$0.before ?? -1, $0.after])
    }
    #expect(Dictionary(uniqueKeysWithValues: found) == falls)
  }

  @Test func `passes over a fall that was undone, until the reading is corrected`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter)
    try await fixture.send([at(0, 100), at(15, 3), at(30, 102)], to: meter)
    #expect(
      try fixture.quarters(of: meter, from: midnight) == [
        0: [3 * kilowattHour, 900_000], 1: [99 * kilowattHour, 900_000],
      ])
    try await fixture.undo(meter, at: midnight + minutes(15))
    #expect(
      try fixture.quarters(of: meter, from: midnight) == [
        0: [kilowattHour, 900_000], 1: [kilowattHour, 900_000],
      ])
    try await fixture.send([at(15, 2)], to: meter)
    #expect(
      try fixture.quarters(of: meter, from: midnight) == [
        0: [kilowattHour, 900_000], 1: [kilowattHour, 900_000],
      ])
    #expect(try fixture.resets(of: meter).map(\.kind) == [.undone])
    try await fixture.send([at(15, 102)], to: meter)
    #expect(
      try fixture.quarters(of: meter, from: midnight) == [0: [2 * kilowattHour, 900_000], 1: [0, 900_000]])
    // A change that is declared there, and taken back, leaves no word of what was undone.
    try await fixture.send([at(15, 2)], to: meter)
    try await fixture.declare(meter, at: midnight + minutes(15), before: nil, after: 0)
    try await fixture.undo(meter, at: midnight + minutes(15))
    #expect(
      try fixture.resets(of: meter) == [
        Reset(kind: .detected, at: midnight + minutes(15), before: 100, after: 2)
      ])
  }

  @Test func `counts a reading that was undone when it is no fall any more, be it the last`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter)
    try await fixture.send([at(0, 100), at(30, 3)], to: meter)
    try await fixture.undo(meter, at: midnight + minutes(30))
    try await fixture.send([at(15, 2)], to: meter)
    #expect(
      try fixture.quarters(of: meter, from: midnight) == [
        0: [2 * kilowattHour, 900_000], 1: [kilowattHour, 900_000],
      ])
  }

  @Test func `goes on from the new meter's first value where a change was declared`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter)
    try await fixture.send([at(0, 100), at(30, 7)], to: meter)
    try await fixture.declare(meter, at: midnight + minutes(15), before: 104, after: 5)
    #expect(
      try fixture.quarters(of: meter, from: midnight) == [
        0: [4 * kilowattHour, 900_000], 1: [2 * kilowattHour, 900_000],
      ])
    #expect(try fixture.resets(of: meter).map(\.kind) == [.declared])
    try await fixture.undo(meter, at: midnight + minutes(15))
    #expect(
      try fixture.resets(of: meter) == [
        Reset(kind: .detected, at: midnight + minutes(30), before: 100, after: 7)
      ])
    // Nobody read the old one: what it showed last is not known.
    try await fixture.declare(meter, at: midnight + minutes(15), before: nil, after: 5)
    #expect(try fixture.quarters(of: meter, from: midnight) == [1: [2 * kilowattHour, 900_000]])
    #expect(try fixture.resets(of: meter).map(\.kind) == [.declared])
  }
}

@Suite struct `The sum of a quarter` {
  @Test func `stays at the end of its range`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter, limit: 1)
    // A register that jumps to its largest value and back every second.
    try await fixture.send(
      (0..<60).map { Reading(end: midnight + $0 * 1000, value: $0 % 2 == 0 ? 0 : 1e9) }, to: meter)
    #expect(try fixture.quarters(of: meter, from: midnight) == [0: [.max, 59_000]])
    #expect(try fixture.alerts(of: meter).map(\.energy.count) == [.max])
    let sums = try fixture.store.read {
      try Consumption.sums(
        of: meter, over: [CalendarBucket(start: midnight, end: midnight + 3_600_000, offset: 0)], $0)
    }
    #expect(sums.map(\.energy.count) == [.max])
  }
}
