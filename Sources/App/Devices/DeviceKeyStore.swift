import GRDB

/// A device key without its token, which is shown once and never kept.
struct DeviceKey: Sendable, Equatable {
  let id: Int64
  let name: String?
  let createdAt: Timestamp
}

extension DeviceKey: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, name
    case createdAt = "created_at"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(EntityID.deviceKey.text(id), forKey: .id)
    try container.encode(name, forKey: .name)
    try container.encode(createdAt, forKey: .createdAt)
  }
}

/// The SQL of device keys. They are looked for at each use, so one that is deleted is dead at once.
enum DeviceKeyStore {
  /// The device that a key is for; nil if there is no such key.
  /// - Parameter digest: `DeviceCredential.digest`.
  static func device(forDigest digest: String, in db: Database) throws -> Int64? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT k.device_id FROM device_keys k JOIN devices d ON d.id = k.device_id
        WHERE k.digest = ? AND d.deleted_at IS NULL
        """)
    return try Int64.fetchOne(statement, arguments: [digest])
  }

  static func insert(
    _ name: String?, digest: String, for device: Int64, now: Timestamp = .now(), in db: Database
  ) throws -> DeviceKey {
    try db.cachedStatement(
      sql: "INSERT INTO device_keys (device_id, name, digest, created_at) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [device, name, digest, now.milliseconds])
    return DeviceKey(id: db.lastInsertedRowID, name: name, createdAt: now)
  }

  /// A device's keys in the order of their ids.
  static func page(of device: Int64, after: Int64, limit: Int, in db: Database) throws -> [DeviceKey] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT id, name, created_at FROM device_keys WHERE device_id = ? AND id > ? ORDER BY id LIMIT ?
        """)
    return try Row.fetchAll(statement, arguments: [device, after, limit]).map { row in
      DeviceKey(id: row["id"], name: row["name"], createdAt: Timestamp(milliseconds: row["created_at"]))
    }
  }

  /// False if the device has no such key.
  static func delete(_ id: Int64, of device: Int64, in db: Database) throws -> Bool {
    try db.cachedStatement(sql: "DELETE FROM device_keys WHERE id = ? AND device_id = ?")
      .execute(arguments: [id, device])
    return db.changesCount > 0
  }
}
