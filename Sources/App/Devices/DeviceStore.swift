import GRDB

/// The SQL of devices. Deleted ones are never found; their rows stay, because readings and alerts name them.
enum DeviceStore {
  private static let select = """
    SELECT id, name, address, owner_id, timezone, max_hourly_kwh, created_at
    FROM devices WHERE deleted_at IS NULL
    """

  static func find(_ id: Int64, in db: Database) throws -> Device? {
    let row = try Row.fetchOne(db.cachedStatement(sql: select + " AND id = ?"), arguments: [id])
    return try row.map { try device($0, in: db) }
  }

  /// Devices in the order of their ids.
  /// - Parameters:
  ///   - owner: whose; nil for everybody's.
  ///   - after: the id of the last device of the page before; 0 for the first page.
  static func page(of owner: Int64?, after: Int64, limit: Int, in db: Database) throws -> [Device] {
    let condition = owner == nil ? "" : " AND owner_id = ?"
    let statement = try db.cachedStatement(sql: select + condition + " AND id > ? ORDER BY id LIMIT ?")
    let arguments: StatementArguments = owner.map { [$0, after, limit] } ?? [after, limit]
    return try Row.fetchAll(statement, arguments: arguments).map { try device($0, in: db) }
  }

  private static func device(_ row: Row, in db: Database) throws -> Device {
    let id: Int64 = row["id"]
    let metrics = try DeviceCatalog.meters(of: id, db).map {
      Metric(name: $0.name, kind: $0.kind, unit: $0.unit)
    }
    return Device(
      id: id,
      settings: Device.Settings(
        name: row["name"], address: row["address"], owner: row["owner_id"], timezone: row["timezone"],
        metrics: metrics, hourlyLimit: row["max_hourly_kwh"]),
      createdAt: Timestamp(milliseconds: row["created_at"]))
  }

  // MARK: Writing

  /// - Throws: `validation` if the owner is no user.
  static func insert(_ settings: Device.Settings, now: Timestamp = .now(), in db: Database) throws -> Device {
    try checkOwner(settings.owner, in: db)
    try db.cachedStatement(
      sql: """
        INSERT INTO devices (name, address, owner_id, timezone, max_hourly_kwh, created_at)
        VALUES (?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      settings.name, settings.address, settings.owner, settings.timezone, settings.hourlyLimit,
      now.milliseconds,
    ])
    let device = Device(id: db.lastInsertedRowID, settings: settings, createdAt: now)
    try MetricStore.replace(with: settings.metrics, of: device.id, in: db)
    return device
  }

  /// - Throws: `validation` if the owner was changed and is no user, `conflict` if a metric with readings was.
  static func update(_ device: Device, to settings: Device.Settings, in db: Database) throws {
    if settings.owner != device.settings.owner { try checkOwner(settings.owner, in: db) }
    try db.cachedStatement(
      sql: """
        UPDATE devices SET name = ?, address = ?, owner_id = ?, timezone = ?, max_hourly_kwh = ? WHERE id = ?
        """
    ).execute(arguments: [
      settings.name, settings.address, settings.owner, settings.timezone, settings.hourlyLimit, device.id,
    ])
    if settings.metrics != device.settings.metrics {
      try MetricStore.replace(with: settings.metrics, of: device.id, in: db)
    }
  }

  /// Its readings stay, and its keys go: nothing can be sent for it any more.
  static func delete(_ id: Int64, now: Timestamp = .now(), in db: Database) throws {
    try db.cachedStatement(sql: "UPDATE devices SET deleted_at = ? WHERE id = ?")
      .execute(arguments: [now.milliseconds, id])
    try db.cachedStatement(sql: "DELETE FROM device_keys WHERE device_id = ?").execute(arguments: [id])
  }

  private static func checkOwner(_ owner: Int64?, in db: Database) throws {
    guard let owner, try !isOwner(owner, in: db) else { return }
    throw Problem.validation([DeviceChange.unknownOwner])
  }

  /// Whether a device may be that user's.
  static func isOwner(_ user: Int64, in db: Database) throws -> Bool {
    try user != User.system && UserStore.find(user, in: db) != nil
  }
}

extension Transaction {
  /// Tells all who remember devices, here and on the loop.
  func deviceChanged(_ id: Int64) {
    devices.forget(id)
    announce(.deviceChanged(id))
  }
}
