import Testing

@testable import App

@Suite struct `The intake of readings` {
  @Test(arguments: [
    (MetricKind.counter, EnergyUnit.kilowattHour, 1e9, true), (.counter, .kilowattHour, 1e9.nextUp, false),
    (.counter, .wattHour, 1e12, true), (.counter, .wattHour, 1e12.nextUp, false),
    (.interval, .kilowattHour, 1e6, true), (.interval, .kilowattHour, 1e6.nextUp, false),
    (.power, .watt, 1e9, true), (.power, .watt, -1e9, true), (.power, .watt, -1e9.nextUp, false),
    (.power, .watt, 1e308, false), (.interval, .kilowattHour, 1e308, false),
    (.counter, .wattHour, .infinity, false),
    (.power, .watt, -.infinity, false), (.power, .watt, .nan, false), (.interval, .kilowattHour, .nan, false),
    (.interval, .kilowattHour, -Double.leastNonzeroMagnitude, false), (.counter, .kilowattHour, -1, false),
    (.counter, .kilowattHour, -0.0, true),
    (.interval, .wattHour, .leastNonzeroMagnitude, true),
  ]) func `takes the values that a meter can have`(
    _ kind: MetricKind, _ unit: EnergyUnit, _ value: Double, _ isTaken: Bool
  ) async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(kind, unit: unit)
    let report = try await fixture.send([at(0, 0), at(10, value), at(20, 1)], to: meter)
    #expect(report.accepted == (isTaken ? 3 : 2) && report.rejected.map(\.index) == (isTaken ? [] : [1]))
    #expect(report.rejectedCount == report.rejected.count)
    #expect(try fixture.buckets(of: meter).allSatisfy { (0...900_000).contains($0.total.covered) })
  }

  @Test func `tells a duplicate from a correction, in a batch as in many`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter()
    let first = try await fixture.send(
      [at(15, 1), at(15, 1), at(15, 2), at(15, 2), at(15, 2, from: 0), at(15, -0.0), at(15, 0)], to: meter)
    #expect([first.accepted, first.duplicates, first.corrected, first.rejectedCount] == [1, 3, 3, 0])
    let second = try await fixture.send([at(15, 0), at(15, 0, from: 0)], to: meter)
    #expect([second.accepted, second.duplicates, second.corrected, second.rejectedCount] == [0, 1, 1, 0])
  }

  @Test func `refuses a span of days on top of a hundred others, and takes what corrects them`() async throws
  {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter()
    let days: Int64 = 2 * 1440
    let pile = try await fixture.send((0...100).map { at(days + $0, 1, from: $0) }, to: meter)
    #expect(pile.accepted == 100 && pile.rejected.map(\.index) == [100])
    let others = try await fixture.send(
      [at(days, 2, from: 0), at(30, 1, from: 15), at(2 * days + 100, 1, from: days + 100)], to: meter)
    #expect([others.accepted, others.corrected, others.rejectedCount] == [2, 1, 0])
  }

  @Test func `takes only what the sender may write to, and what is there`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter()
    let other = try await fixture.meter(.power)
    let incoming = [
      IncomingReading(index: 4, device: meter, metric: "energy", reading: at(15, 1)),
      IncomingReading(index: 5, device: other, metric: nil, reading: at(15, 1)),
      IncomingReading(index: 6, device: 99, metric: nil, reading: at(15, 1)),
      IncomingReading(index: 7, device: meter, metric: "heat", reading: at(15, 1)),
      IncomingReading(index: 8, device: 0, metric: nil, reading: at(15, 1)),
    ]
    let one = try await fixture.take(incoming, onlyFor: meter)
    #expect(one.accepted == 1 && one.rejected.map(\.index) == [5, 6, 7, 8])
    let all = try await fixture.take(incoming, onlyFor: nil)
    #expect(all.duplicates == 1 && all.accepted == 1 && all.rejected.map(\.index) == [6, 7, 8])
    let started = try await fixture.send([at(30, 1, from: 15)], to: other)
    #expect(started.rejected.map(\.detail) == ["only a metric of kind interval has a start"])
  }

  @Test func `begins with the first moment of 1970`() async throws {
    let fixture = try EnergyFixture()
    for kind in MetricKind.allCases {
      let meter = try await fixture.meter(kind, limit: 1e-6)
      let readings = [
        Reading(end: 0, value: 0), Reading(end: 450_000, value: 2), Reading(end: 1_350_000, value: 4),
      ]
      let report = try await fixture.send(readings, to: meter)
      #expect(report.accepted == 3)
      #expect(try fixture.quarters(of: meter, from: 0)[0]?[1] == 900_000)
    }
  }
}
