import GRDB

/// The SQL of alerts.
enum AlertStore {
  // MARK: Reading

  static func find(_ id: Int64, _ db: Database) throws -> Alert? {
    let find = try RawStatement("SELECT \(Alert.columns) FROM alerts WHERE id = ?1", db)
    find.bind(id)
    return try all(find).first
  }

  /// The alerts of a device whose hours begin in a range, in order.
  static func alerts(of device: Int64, from: Int64, to: Int64, _ db: Database) throws -> [Alert] {
    let find = try RawStatement(ofDevice, db)
    find.bind(device, from, to)
    return try all(find)
  }

  /// Made once: nearly every reading asks.
  private static let ofDevice = """
    SELECT \(Alert.columns) FROM alerts WHERE device_id = ?1 AND starts_at >= ?2 AND starts_at < ?3
    ORDER BY starts_at
    """

  private static func all(_ statement: RawStatement) throws -> [Alert] {
    var found: [Alert] = []
    try statement.eachRow { row in
      found.append(Alert(row))
      return true
    }
    return found
  }

  /// What happened to an alert at a position, for whoever is told of it again.
  static func event(at position: Int64, _ db: Database) throws -> AlertEvent? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT e.state, e.energy, a.id, a.device_id, a.limit_kwh, a.starts_at, a.ends_at
        FROM alert_events e JOIN alerts a ON a.id = e.alert_id WHERE e.position = ?
        """)
    return try Row.fetchOne(statement, arguments: [position]).map { row in
      AlertEvent(
        position: position, alert: row["id"], device: row["device_id"],
        state: AlertEvent.State(rawValue: row["state"]) ?? .firing, energy: MicrowattHours(row["energy"]),
        limit: MicrowattHours(row["limit_kwh"], .kilowattHour), start: row["starts_at"], end: row["ends_at"],
        recipients: [])
    }
  }

  /// What a list shows.
  struct Filter: Sendable {
    /// Only of this user's devices; nil for all.
    var owner: Int64?
    var state: Alert.State?
    var acknowledged: Bool?
  }

  /// Alerts, the latest first.
  /// - Parameter before: the id of the last alert of the page before.
  static func page(_ filter: Filter, before: Int64?, limit: Int, _ db: Database) throws -> [Alert] {
    let find = try RawStatement(
      """
      SELECT \(Alert.columns) FROM alerts
      WHERE id < ?1 AND (?2 IS NULL OR state = ?2)
        AND (?3 IS NULL OR (acknowledged_at IS NOT NULL) = ?3)
        AND (?4 IS NULL OR device_id IN (SELECT id FROM devices WHERE owner_id = ?4))
      ORDER BY id DESC LIMIT ?5
      """, db)
    find.bind(before ?? Int64.max, at: 1)
    find.bind(filter.state?.rawValue, at: 2)
    find.bind(filter.acknowledged.map { Int64($0 ? 1 : 0) }, at: 3)
    find.bind(filter.owner, at: 4)
    find.bind(Int64(limit), at: 5)
    return try all(find)
  }

  /// The device's owner and all administrators.
  static func recipients(owner: Int64?, _ db: Database) throws -> [Int64] {
    let statement = try db.cachedStatement(
      sql: "SELECT id FROM users WHERE (role = 'admin' OR id = ?) AND deleted_at IS NULL ORDER BY id")
    return try Int64.fetchAll(statement, arguments: [owner])
  }

  // MARK: Writing

  static func insert(
    device: Int64, _ hour: CalendarBucket, _ energy: MicrowattHours, limit: MicrowattHours,
    _ now: Timestamp, _ db: Database
  ) throws -> Int64 {
    try db.cachedStatement(
      sql: """
        INSERT INTO alerts (device_id, starts_at, ends_at, energy, limit_kwh, state, fired_at)
        VALUES (?, ?, ?, ?, ?, 'firing', ?)
        """
    ).execute(arguments: [
      device, hour.start, hour.end, energy.count, limit.kilowattHours, now.milliseconds,
    ])
    return db.lastInsertedRowID
  }

  static func setEnergy(_ energy: MicrowattHours, of alert: Int64, _ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE alerts SET energy = ? WHERE id = ?")
      .execute(arguments: [energy.count, alert])
  }

  static func setState(
    _ state: Alert.State, _ energy: MicrowattHours, of alert: Int64, _ now: Timestamp, _ db: Database
  ) throws {
    try db.cachedStatement(sql: "UPDATE alerts SET state = ?, energy = ?, cleared_at = ? WHERE id = ?")
      .execute(arguments: [
        state.rawValue, energy.count, state == .cleared ? now.milliseconds : nil, alert,
      ])
  }

  /// False if somebody has acknowledged it before: who was first stays.
  static func acknowledge(
    _ alert: Int64, by user: Int64, _ now: Timestamp, _ db: Database
  ) throws -> Bool {
    try db.cachedStatement(
      sql: """
        UPDATE alerts SET acknowledged_by = ?, acknowledged_at = ? WHERE id = ? AND acknowledged_at IS NULL
        """
    ).execute(arguments: [user, now.milliseconds, alert])
    return db.changesCount == 1
  }

  static func record(_ event: AlertEvent, _ db: Database) throws {
    try db.cachedStatement(
      sql: "INSERT INTO alert_events (position, alert_id, state, energy) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [event.position, event.alert, event.state.rawValue, event.energy.count])
  }
}
