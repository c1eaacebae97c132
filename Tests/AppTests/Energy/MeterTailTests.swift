import Testing

@testable import App

/// Readings behind the last one are added to what is in memory; the check computes all anew from the store.
@Suite struct `Readings one after another` {
  private func check(_ fixture: EnergyFixture) throws {
    var report = StoreCheck.Report()
    try fixture.store.read { try EnergyCheck.run($0, &report) }
    #expect(report.faults.isEmpty)
  }

  @Test(arguments: MetricKind.allCases)
  func `add up to what they are together`(_ kind: MetricKind) async throws {
    let fixture = try EnergyFixture()
    let readings = (0..<200).map { at(Int64($0) * 7, Double($0 * $0) / 100) }
    let (one, all) = (try await fixture.meter(kind, limit: 1e-4), try await fixture.meter(kind, limit: 1e-4))
    for reading in readings { try await fixture.send([reading], to: one) }
    try await fixture.send(readings, to: all)
    #expect(try fixture.buckets(of: one).map(\.total) == fixture.buckets(of: all).map(\.total))
    #expect(try fixture.alerts(of: one).map(\.energy) == fixture.alerts(of: all).map(\.energy))
    #expect(try !fixture.alerts(of: one).isEmpty)
    try check(fixture)
  }

  @Test func `mind a change of meter that was declared behind the last`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter)
    for (minute, value) in [(0, 100.0), (15, 101)] {
      try await fixture.send([at(Int64(minute), value)], to: meter)
    }
    try await fixture.declare(meter, at: midnight + 20 * 60_000, before: 102, after: 200)
    for (minute, value) in [(30, 203.0), (45, 204)] {
      try await fixture.send([at(Int64(minute), value)], to: meter)
    }
    #expect(try fixture.buckets(of: meter).map(\.total.energy.kilowattHours) == [1, 4, 1])
    try check(fixture)
  }

  @Test func `mind a fall that is undone while it is the last`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(.counter)
    for (minute, value) in [(0, 100.0), (15, 101), (30, 7)] {
      try await fixture.send([at(Int64(minute), value)], to: meter)
    }
    try await fixture.undo(meter, at: midnight + 30 * 60_000)
    for (minute, value) in [(45, 103.0), (60, 104)] {
      try await fixture.send([at(Int64(minute), value)], to: meter)
    }
    #expect(try fixture.buckets(of: meter).map(\.total.energy.kilowattHours) == [1, 1, 1, 1])
    try check(fixture)
  }

  @Test func `leave nothing in memory when their change fails`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2.5)
    for minute in [15, 30] { try await fixture.send([at(Int64(minute), 1)], to: meter) }
    await #expect(throws: Problem.internal) { try await fixture.fail(after: [at(45, 1)], to: meter) }
    #expect(try fixture.alerts(of: meter).isEmpty)
    // Of half an hour, for nothing came between.
    try await fixture.send([at(60, 1)], to: meter)
    #expect(try fixture.buckets(of: meter).map(\.total.energy.kilowattHours) == [1, 1, 0.5, 0.5])
    #expect(try fixture.alerts(of: meter).map(\.energy.kilowattHours) == [3])
    try check(fixture)
  }
}
