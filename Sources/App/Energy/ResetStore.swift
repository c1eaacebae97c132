import GRDB

/// The resets of a device as clients see them.
enum ResetStore {
  struct Listed: Encodable, FetchableRecord, Sendable {
    let id: Int64
    let device: Int64
    let metric: String
    let at: Int64
    let kind: String
    let before: Double?
    let after: Double?
    let createdAt: Int64

    private enum CodingKeys: String, CodingKey {
      case id, metric, timestamp, kind
      case device = "device_id"
      case before = "value_before"
      case after = "value_after"
      case createdAt = "created_at"
    }

    init(row: Row) throws {
      id = row["id"]
      device = row["device_id"]
      metric = row["name"]
      at = row["at"]
      kind = row["kind"]
      before = row["value_before"]
      after = row["value_after"]
      createdAt = row["created_at"]
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(EntityID.reset.text(id), forKey: .id)
      try container.encode(EntityID.device.text(device), forKey: .device)
      try container.encode(metric, forKey: .metric)
      try container.encode(Timestamp(milliseconds: at), forKey: .timestamp)
      try container.encode(kind, forKey: .kind)
      try container.encode(before, forKey: .before)
      try container.encode(after, forKey: .after)
      try container.encode(Timestamp(milliseconds: createdAt), forKey: .createdAt)
    }
  }

  private static let selection = """
    SELECT r.id, m.device_id, m.name, r.at, r.kind, r.value_before, r.value_after, r.created_at
    FROM resets r JOIN metrics m ON m.id = r.metric_id
    WHERE r.kind <> 'undone' AND m.device_id = ?
    """

  /// Those that count, the latest first.
  static func page(of device: Int64, before: Int64?, limit: Int, _ db: Database) throws -> [Listed] {
    try Listed.fetchAll(
      db.cachedStatement(sql: selection + " AND r.id < ? ORDER BY r.id DESC LIMIT ?"),
      arguments: [device, before ?? .max, limit])
  }

  static func find(_ id: Int64, of device: Int64, _ db: Database) throws -> Listed? {
    try Listed.fetchOne(
      db.cachedStatement(sql: selection + " AND r.id = ?"), arguments: [device, id])
  }

  /// Notes a change of meter. It takes the place of a fall that was found, or undone, at that very moment.
  /// - Throws: `conflict` if one is declared there already.
  static func declare(
    _ reset: Reset, of meter: Int64, _ now: Timestamp, _ db: Database
  ) throws -> Int64 {
    let isThere = try Int64.fetchOne(
      db, sql: "SELECT 1 FROM resets WHERE metric_id = ? AND at = ? AND kind = 'declared'",
      arguments: [meter, reset.at])
    if isThere != nil { throw Problem(.conflict, errors: [.init("/timestamp", "has a reset already")]) }
    try db.execute(
      sql: "DELETE FROM resets WHERE metric_id = ? AND at = ?", arguments: [meter, reset.at])
    try db.execute(
      sql: """
        INSERT INTO resets (metric_id, at, kind, value_before, value_after, created_at)
        VALUES (?, ?, 'declared', ?, ?, ?)
        """, arguments: [meter, reset.at, reset.before, reset.after, now.milliseconds])
    return db.lastInsertedRowID
  }

  /// Takes a declared one away; of a fall that was found it is noted that it was none.
  static func undo(_ id: Int64, _ db: Database) throws {
    try db.execute(
      sql: "UPDATE resets SET kind = 'undone' WHERE id = ? AND kind = 'detected'", arguments: [id])
    try db.execute(sql: "DELETE FROM resets WHERE id = ? AND kind = 'declared'", arguments: [id])
  }
}
