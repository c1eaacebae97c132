import Testing

@testable import App

@Suite struct `An alert` {
  private let hour = midnight...(midnight + 3_600_000)

  @Test func `fires when the hour has passed its limit, and not at it`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2)
    try await fixture.send([at(60, 2, from: 0)], to: meter)
    #expect(try fixture.alerts(of: meter).isEmpty)
    try await fixture.send([at(60, 2.000000001, from: 0)], to: meter)
    let alert = try #require(try fixture.alerts(of: meter).first)
    #expect(alert.state == .firing && alert.start...alert.end == hour && alert.limit == 2)
    #expect(alert.energy.count == 2_000_000_001)
    let event = try #require(fixture.events(of: meter).first)
    #expect(event.recipients == [EnergyFixture.admin, EnergyFixture.client] && event.state == .firing)
  }

  @Test func `is cleared by a correction, and fires again as the same one, with one message for ever`()
    async throws
  {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2)
    var ids: Set<Int64> = []
    for (value, state) in [
      (3, Alert.State.firing), (1, .cleared), (1.5, .cleared), (4, .firing), (5, .firing),
    ] {
      try await fixture.send([at(60, value, from: 0)], to: meter)
      let alerts = try fixture.alerts(of: meter)
      ids.formUnion(alerts.map(\.id))
      #expect(alerts.map(\.state) == [state] && alerts.map(\.energy.kilowattHours) == [value])
      #expect((alerts.first?.clearedAt == nil) == (state == .firing))
    }
    #expect(ids.count == 1)
    #expect(fixture.events(of: meter).map(\.state) == [.firing, .cleared, .firing])
    #expect(
      try fixture.messages(of: meter) == [
        "Meter \(meter): 3 kWh from 00:00 to 01:00 on 2026-01-01 (UTC), over the limit of 2 kWh an hour."
      ])
  }

  @Test func `keeps who acknowledged it through all that`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2)
    try await fixture.send([at(60, 3, from: 0)], to: meter)
    let id = try #require(try fixture.alerts(of: meter).first?.id)
    let acknowledged = try fixture.store.write { db in
      try (0..<2).map { try AlertStore.acknowledge(id, by: 2 - $0, Timestamp(milliseconds: 7 + $0), db) }
    }
    #expect(acknowledged == [true, false])
    for value in [1.0, 3] { try await fixture.send([at(60, value, from: 0)], to: meter) }
    let alert = try #require(try fixture.alerts(of: meter).first)
    #expect(alert.acknowledgedBy == 2 && alert.acknowledgedAt == 7 && alert.state == .firing)
  }

  @Test func `stays the one of its hour when the device's clock becomes another's`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2)
    try await fixture.send([at(60, 3, from: 0)], to: meter)
    try await fixture.setZone("Asia/Kolkata", of: meter)
    // Its hours begin at half past: one holds the first half of the alert's, one the second.
    for (value, state) in [(1.0, Alert.State.cleared), (8, .firing)] {
      try await fixture.send([at(60, value, from: 0)], to: meter)
      let alert = try #require(try fixture.alerts(of: meter).first { $0.start == midnight })
      #expect(alert.state == state && alert.energy.kilowattHours == value && alert.end == hour.upperBound)
    }
    #expect(
      try fixture.alerts(of: meter).map(\.start) == [-30, 0, 30].map { midnight + $0 * 60_000 })
    var report = StoreCheck.Report()
    try fixture.store.read { try EnergyCheck.run($0, &report) }
    #expect(report.faults.isEmpty)
  }

  @Test func `is of each hour that one reading fills`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2)
    try await fixture.send([at(150, 9, from: 0)], to: meter)
    #expect(try fixture.alerts(of: meter).map { ($0.start - midnight) / 60_000 } == [0, 60])
    #expect(try fixture.messages(of: meter).count == 2)
  }

  @Test(arguments: [
    ("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("Australia/Eucla", 15), ("America/St_Johns", 30),
    ("UTC", 0),
  ]) func `has the hour of the device's own clock`(_ zone: String, _ start: Int64) async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2, zone: zone)
    try await fixture.send([at(start + 45, 2.5, from: start + 15)], to: meter)
    #expect(
      try fixture.alerts(of: meter).map { [$0.start, $0.end] } == [
        [midnight + minutes(start), midnight + minutes(start + 60)]
      ])
    // As much, on both sides of the hour's border.
    let other = try await fixture.meter(limit: 2, zone: zone)
    try await fixture.send([at(start + 15, 2.5, from: start - 15)], to: other)
    #expect(try fixture.alerts(of: other).isEmpty)
  }

  @Test func `of a device without a limit, or of another metric, is none`() async throws {
    let fixture = try EnergyFixture()
    let free = try await fixture.meter()
    try await fixture.send([at(60, 1e6, from: 0)], to: free)
    #expect(try fixture.alerts(of: free).isEmpty)
  }

  @Test func `of a device without an owner is told to the administrators alone`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2, owner: nil)
    try await fixture.send([at(60, 3, from: 0)], to: meter)
    #expect(fixture.events(of: meter).map(\.recipients) == [[EnergyFixture.admin]])
    #expect(try fixture.messages(of: meter).isEmpty)
  }

  @Test func `keeps the limit of its time when that is changed`() async throws {
    let fixture = try EnergyFixture()
    let meter = try await fixture.meter(limit: 2)
    try await fixture.send([at(60, 3, from: 0), at(120, 3, from: 60)], to: meter)
    try await fixture.setLimit(4, of: meter)
    // 3.5 is under the new limit, and over that of the alert; the next hours have the new one alone.
    try await fixture.send([at(60, 3.5, from: 0), at(180, 3.5, from: 120), at(240, 5, from: 180)], to: meter)
    #expect(try fixture.alerts(of: meter).map(\.limit) == [2, 2, 4])
    #expect(try fixture.alerts(of: meter).map(\.state) == [.firing, .firing, .firing])
    try await fixture.setLimit(nil, of: meter)
    try await fixture.send([at(60, 1, from: 0), at(300, 9, from: 240)], to: meter)
    #expect(try fixture.alerts(of: meter).map(\.state) == [.cleared, .firing, .firing])
  }
}
