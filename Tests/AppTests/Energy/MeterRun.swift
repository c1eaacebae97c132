@testable import App

/// One seed's life of a meter: random readings in random order and batches, some sent again or corrected, some resets
/// declared or undone. Between any two transactions the store must be what `PlainMeter` makes of what was sent so far.
struct MeterRun {
  private let fixture: EnergyFixture
  private var random: SeededGenerator
  private let kind: MetricKind
  private let unit: EnergyUnit
  private let limit: Int64?
  /// Milliseconds that the local clock is ahead of UTC.
  private let offset: Int64
  private let meter: Int64
  private let first: Int64
  private let scale: Int64
  private let count: Int64
  private var plain: PlainMeter
  private var before: [Int64: Bucket] = [:]

  private static let zones: [(String, Int64)] = [
    ("UTC", 0), ("Asia/Kolkata", 330), ("Asia/Kathmandu", 345), ("America/Phoenix", -420),
  ]

  init(_ fixture: EnergyFixture, seed: UInt64, kind: MetricKind) async throws {
    self.fixture = fixture
    self.kind = kind
    random = SeededGenerator(seed: seed)
    unit = kind == .power ? .watt : Bool.random(using: &random) ? .kilowattHour : .wattHour
    let (zone, minutes) = Self.zones[Int.random(in: 0..<Self.zones.count, using: &random)]
    offset = minutes * 60_000
    // A limit that some hours pass and others do not.
    limit = [nil, 3_000_000, 500_000_000, 5_000_000_000][Int.random(in: 0..<4, using: &random)]
    meter = try await fixture.meter(
      kind, unit: unit, limit: limit.map { Double($0) / 1e9 }, zone: zone,
      owner: Bool.random(using: &random) ? EnergyFixture.client : nil)
    let scales: [Int64] = [1, 7_000, 60_000, 300_000, 450_000, 900_000, 1_234_567, 3_600_000, 30_000_000]
    scale =
      Int.random(in: 0..<12, using: &random) == 0 ? 2_000_000_000 : scales.randomElement(using: &random)!
    first = 1_767_225_600_000 + .random(in: 0...8, using: &random) * 450_000
    count = .random(in: 1...(scale > 1_000_000_000 ? 8 : 24), using: &random)
    plain = PlainMeter(kind, unit: unit)
  }

  /// Runs to the first fault, and returns it.
  mutating func fault() async throws -> String? {
    var toSend = (0..<count * 3 / 2).map { _ in reading() }
    if Bool.random(using: &random) {
      toSend.shuffle(using: &random)
    } else {
      // As most meters send: in order, and now and then one again or late.
      toSend.sort { $0.end < $1.end }
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        toSend.append(toSend.remove(at: .random(in: toSend.indices, using: &random)))
      }
    }
    while !toSend.isEmpty {
      let size = min(toSend.count, Int.random(in: 1...8, using: &random))
      let batch = Array(toSend.prefix(size))
      toSend.removeFirst(size)
      if let fault = try await send(batch) { return fault }
      if kind == .counter, Int.random(in: 0..<3, using: &random) == 0, let fault = try await changeResets() {
        return fault
      }
    }
    return nil
  }

  // MARK: Steps

  private mutating func time() -> Int64 {
    let step = first + .random(in: 0..<count, using: &random) * scale
    return Int.random(in: 0..<4, using: &random) == 0 ? step + .random(in: 0..<scale, using: &random) : step
  }

  private mutating func reading() -> Reading {
    let end = time()
    switch kind {
    case .power: return Reading(end: end, value: Double(Int64.random(in: -2000...9000, using: &random)))
    case .counter:
      // Mostly it grows with time, and sometimes it is anything.
      let grown = (end - first) * 4000 / scale + .random(in: 0...4000, using: &random)
      let value = Int.random(in: 0..<6, using: &random) == 0 ? .random(in: 0...grown, using: &random) : grown
      return Reading(end: end, value: Double(value) / 1000)
    case .interval:
      let lengths: [Int64] = [1, scale / 3 + 1, scale, scale * 3, 900_000, 34_560_000_000]
      let length = lengths[Int.random(in: 0..<(scale > 1_000_000_000 ? 6 : 5), using: &random)]
      let start = Bool.random(using: &random) ? max(0, end - length) : nil
      return Reading(end: end, start: start, value: Double(Int64.random(in: 0...3, using: &random)) * 0.625)
    }
  }

  private mutating func send(_ batch: [Reading]) async throws -> String? {
    var expected = (accepted: 0, duplicates: 0, corrected: 0)
    for reading in batch {
      let old = plain.readings.updateValue(reading, forKey: reading.end)
      if old == nil { expected.accepted += 1 } else if old == reading { expected.duplicates += 1 }
      if let old, old != reading { expected.corrected += 1 }
    }
    let report = try await fixture.send(batch, to: meter)
    guard (report.accepted, report.duplicates, report.corrected) == expected, report.rejectedCount == 0 else {
      return "the report \(report) is not \(expected)"
    }
    return try compare()
  }

  private mutating func changeResets() async throws -> String? {
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      let at = time()
      guard plain.declared[at] == nil else { return nil }
      let old = Bool.random(using: &random) ? Double(Int.random(in: 0...40, using: &random)) : nil
      let new = Double(Int.random(in: 0...3, using: &random))
      plain.declared[at] = (old, new)
      plain.undone.remove(at)
      try await fixture.declare(meter, at: at, before: old, after: new)
    case 1:
      guard let at = plain.result().falls.keys.sorted().randomElement(using: &random) else { return nil }
      plain.undone.insert(at)
      try await fixture.undo(meter, at: at)
    default:
      guard let at = plain.declared.keys.sorted().randomElement(using: &random) else { return nil }
      plain.declared[at] = nil
      try await fixture.undo(meter, at: at)
    }
    return try compare()
  }

  // MARK: Comparing

  private mutating func compare() throws -> String? {
    let expected = plain.result()
    let after = Dictionary(uniqueKeysWithValues: try fixture.buckets(of: meter).map { ($0.number, $0) })
    for number in Set(after.keys).union(expected.quarters.keys).sorted() {
      let bucket = after[number] ?? Bucket(number: number, total: .init(), revision: 0)
      let quarter = expected.quarters[number] ?? .init()
      // Areas under a slope are computed with binary fractions, and may be rounded to the other side.
      let slack = kind == .power ? 2 * quarter.spans : 0
      guard abs(bucket.total.energy.count - quarter.energy) <= slack, bucket.total.covered == quarter.covered
      else { return "quarter \(number) is \(bucket) and not \(quarter)\n\(life)" }
      let old = before[number] ?? Bucket(number: number, total: .init(), revision: 0)
      guard bucket.revision == old.revision + (bucket.total == old.total ? 0 : 1) else {
        return "the revision of \(bucket) after \(old)"
      }
    }
    before = after
    return try compareResets(expected.falls) ?? compareAlerts(after)
  }

  private var life: String {
    (plain.readings.values.sorted { $0.end < $1.end }.map { "\($0)" } + ["\(plain.declared) \(plain.undone)"])
      .joined(separator: "\n")
  }

  private func compareResets(_ falls: [Int64: [Double]]) throws -> String? {
    let resets = try fixture.resets(of: meter)
    let detected = resets.filter { $0.kind == .detected }.map { ($0.at, [$0.before ?? -1, $0.after]) }
    if Dictionary(uniqueKeysWithValues: detected) != falls {
      return "the falls \(detected) are not \(falls)\n\(life)"
    }
    guard Set(resets.filter { $0.kind == .undone }.map(\.at)) == plain.undone,
      Set(resets.filter { $0.kind == .declared }.map(\.at)) == Set(plain.declared.keys)
    else { return "resets made by hand are \(resets)" }
    return nil
  }

  private func compareAlerts(_ buckets: [Int64: Bucket]) throws -> String? {
    var hours: [Int64: Int64] = [:]
    for bucket in buckets.values {
      let local = bucket.number * 900_000 + offset
      hours[local - local % 3_600_000 - offset, default: 0] += bucket.total.energy.count
    }
    let alerts = try fixture.alerts(of: meter)
    let over = Set(hours.filter { $0.value > limit ?? .max }.keys)
    let firing = alerts.filter { $0.state == .firing }.map(\.start)
    if Set(firing) != over { return "alerts fire at \(firing), not at \(over.sorted())" }
    for alert in alerts where alert.energy.count != hours[alert.start] || alert.end != alert.start + 3_600_000
    {
      return "\(alert) is of another hour than \(hours[alert.start] ?? 0)"
    }
    return try compareNews(alerts)
  }

  /// One alert for an hour, told once in the chat if there is somebody to tell; its events take turns.
  private func compareNews(_ alerts: [Alert]) throws -> String? {
    guard Set(alerts.map(\.start)).count == alerts.count else { return "two alerts for an hour: \(alerts)" }
    let events = Dictionary(grouping: fixture.events(of: meter), by: \.alert)
    guard events.count == alerts.count else { return "\(events.count) alerts told, of \(alerts.count)" }
    for alert in alerts {
      let told = (events[alert.id] ?? []).map(\.state.rawValue)
      let turns = told.indices.map { $0 % 2 == 0 ? "firing" : "cleared" }
      guard told == turns, told.last == alert.state.rawValue else { return "\(alert) was told as \(told)" }
    }
    let messages = try fixture.messages(of: meter)
    let owned = try fixture.hasOwner(meter)
    return messages.count == (owned ? alerts.count : 0)
      ? nil : "\(messages.count) messages of \(alerts.count) alerts"
  }
}
