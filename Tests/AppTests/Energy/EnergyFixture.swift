import GRDB
import Synchronization

@testable import App

/// A store with an administrator, a client, and meters; what is sent goes through the writer, as it does in the server.
final class EnergyFixture {
  private let directory: TemporaryDirectory
  let store: Store
  private let writer: Writer
  private let heard: Heard

  /// What the loop would have been told of each device's alerts, in order.
  private final class Heard: Sendable {
    private let events = Mutex<[Int64: [AlertEvent]]>([:])

    func hear(_ news: [Announcement]) {
      for case .alert(let event) in news { events.withLock { $0[event.device, default: []].append(event) } }
    }

    func of(_ device: Int64) -> [AlertEvent] { events.withLock { $0[device] ?? [] } }
  }

  static let admin: Int64 = 1
  static let client: Int64 = 2

  init() throws {
    directory = try TemporaryDirectory()
    store = try Store(directory: directory.path, for: .command)
    let heard = Heard()
    self.heard = heard
    writer = Writer(store: store, committed: { _ in }, announced: { heard.hear($0) })
    // Nothing here outlives a power cut, and thousands of transactions wait for no disk.
    try store.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = OFF") }
    try store.write { db in
      _ = try UserStore.insert(NewUser(username: "ada", role: .admin), passwordHash: nil, in: db)
      _ = try UserStore.insert(NewUser(username: "ben", role: .client), passwordHash: nil, in: db)
    }
  }

  deinit {
    writer.close()
    try? store.close()
  }

  // MARK: Making

  /// A device with one metric; both have the same number.
  func meter(
    _ kind: MetricKind = .interval, unit: EnergyUnit? = nil, limit: Double? = nil, zone: String = "UTC",
    owner: Int64? = client
  ) async throws -> Int64 {
    let unit = unit ?? (kind == .power ? .watt : .kilowattHour)
    return try await writer.write { db in
      try db.execute(
        sql: """
          INSERT INTO devices (name, owner_id, timezone, max_hourly_kwh, created_at) VALUES ('', ?, ?, ?, 0)
          """, arguments: [owner, zone, limit])
      let id = db.lastInsertedRowID
      try db.execute(sql: "UPDATE devices SET name = 'Meter ' || id WHERE id = ?", arguments: [id])
      try db.execute(
        sql:
          "INSERT INTO metrics (id, device_id, place, name, kind, unit) VALUES (?1, ?1, 0, 'energy', ?2, ?3)",
        arguments: [id, kind.rawValue, unit.rawValue])
      return id
    }
  }

  @discardableResult
  func send(_ readings: [Reading], to meter: Int64) async throws -> IntakeReport {
    try await take(
      readings.enumerated().map {
        IncomingReading(index: $0.offset, device: meter, metric: nil, reading: $0.element)
      }, onlyFor: meter)
  }

  func take(_ readings: [IncomingReading], onlyFor device: Int64?) async throws -> IntakeReport {
    try await writer.transact { try ReadingIntake.run(readings, onlyFor: device, in: $0) }
  }

  /// Sends readings in a change that fails after them.
  func fail(after readings: [Reading], to meter: Int64) async throws {
    let incoming = readings.enumerated().map {
      IncomingReading(index: $0.offset, device: meter, metric: nil, reading: $0.element)
    }
    try await writer.transact { transaction in
      _ = try ReadingIntake.run(incoming, onlyFor: nil, in: transaction)
      throw Problem.internal
    }
  }

  /// Changes resets, and brings up to date what stands around that moment.
  private func change(
    _ meter: Int64, at: Int64, _ body: @escaping @Sendable (Database) throws -> Void
  ) async throws {
    try await writer.transact { transaction in
      try body(transaction.db)
      guard let device = try transaction.devices.device(meter, transaction.db) else { return }
      try transaction.resetsChanged(of: device, place: 0, at: at, .now())
    }
  }

  func declare(_ meter: Int64, at: Int64, before: Double?, after: Double) async throws {
    try await change(meter, at: at) { db in
      let reset = Reset(kind: .declared, at: at, before: before, after: after)
      _ = try ResetStore.declare(reset, of: meter, .now(), db)
    }
  }

  /// Takes a declared one away, or says of a fall that it was none.
  func undo(_ meter: Int64, at: Int64) async throws {
    try await change(meter, at: at) { db in
      let sql = "SELECT id FROM resets WHERE metric_id = ? AND at = ?"
      guard let id = try Int64.fetchOne(db, sql: sql, arguments: [meter, at]) else { return }
      try ResetStore.undo(id, db)
    }
  }

  /// Sets the limit of a device, as an administrator does.
  func setLimit(_ limit: Double?, of device: Int64) async throws {
    try await writer.transact { transaction in
      try transaction.db.execute(
        sql: "UPDATE devices SET max_hourly_kwh = ? WHERE id = ?", arguments: [limit, device])
      transaction.devices.forget(device)
    }
  }

  /// Moves a device to another zone, as an administrator does.
  func setZone(_ zone: String, of device: Int64) async throws {
    try await writer.transact { transaction in
      try transaction.db.execute(
        sql: "UPDATE devices SET timezone = ? WHERE id = ?", arguments: [zone, device])
      transaction.devices.forget(device)
    }
  }

  // MARK: Looking

  func buckets(of meter: Int64) throws -> [Bucket] {
    try store.read { try BucketStore.buckets(.min..<(.max), of: meter, $0) }
  }

  /// Microwatt-hours and covered milliseconds of the quarters that are not empty, from the quarter of a moment on.
  func quarters(of meter: Int64, from start: Int64) throws -> [Int64: [Int64]] {
    let first = Quarter.number(at: start)
    let filled = try buckets(of: meter).filter { $0.total != .init() }
    return Dictionary(
      uniqueKeysWithValues: filled.map { ($0.number - first, [$0.total.energy.count, $0.total.covered]) })
  }

  func resets(of meter: Int64) throws -> [Reset] {
    try store.read { try ReadingStore.resets(.min ... .max, of: meter, $0) }
  }

  func alerts(of device: Int64) throws -> [Alert] {
    try store.read { try AlertStore.alerts(of: device, from: .min, to: .max, $0) }
  }

  /// The texts of the alerts of a device in anybody's conversation.
  func messages(of device: Int64) throws -> [String] {
    try store.read {
      try String.fetchAll(
        $0,
        sql: "SELECT text FROM messages WHERE kind = 1 AND text LIKE 'Meter ' || ? || ':%' ORDER BY position",
        arguments: [device])
    }
  }

  func hasOwner(_ device: Int64) throws -> Bool {
    try store.read {
      try Bool.fetchOne($0, sql: "SELECT owner_id IS NOT NULL FROM devices WHERE id = ?", arguments: [device])
        ?? false
    }
  }

  /// What was announced of a device's alerts.
  func events(of device: Int64) -> [AlertEvent] { heard.of(device) }
}
