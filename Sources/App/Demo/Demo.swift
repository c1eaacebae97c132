import GRDB

/// `serve --demo`: an empty store is filled with users, devices and a month of readings.
public enum Demo {
  /// How the demo's users log in.
  public struct Login: Sendable, Equatable {
    public let username: String
    public let role: Role
    public let password: String
  }

  private static let users = [("ada", "Ada Lindqvist"), ("ben", "Ben Okafor"), ("cleo", "Cleo Martins")]
  private static let month: Int64 = 31 * 86_400_000

  /// Fills the store if nobody but an administrator is in it.
  /// - Parameter admin: the administrator's password, where it has just been made.
  /// - Returns: the log-ins of this store's demo, of now or of an earlier start; nil if the store is somebody's own.
  public static func fill(
    _ store: Store, admin: String?, passwords: PasswordHasher, now: Timestamp = .now()
  ) throws -> [Login]? {
    if try store.read(isFilled) { return try DemoLogins.read(store.directory) }
    guard try store.read(isEmpty) else { return nil }
    var logins = users.map { Login(username: $0.0, role: .client, password: Password.generate()) }
    let hashes = try logins.map { try passwords.hash($0.password) }
    if let admin { logins.insert(Login(username: "admin", role: .admin, password: admin), at: 0) }
    try DemoLogins.write(logins, store.directory)
    try store.write { db in
      for (user, hash) in zip(users, hashes) {
        let new = NewUser(username: user.0, displayName: user.1, role: .client)
        _ = try UserStore.insert(new, passwordHash: hash, now: now, in: db)
      }
      try db.execute(sql: "INSERT INTO meta (name, value) VALUES ('demo', ?)", arguments: [now.text])
      try addReadings(now, db)
    }
    return logins
  }

  static func isFilled(_ db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'demo')") ?? false
  }

  private static func isEmpty(_ db: Database) throws -> Bool {
    try Bool.fetchOne(
      db,
      sql: """
        SELECT NOT EXISTS (SELECT 1 FROM devices) AND NOT EXISTS (SELECT 1 FROM conversations)
          AND (SELECT count(*) FROM users WHERE id > 0) <= 1
        """) ?? false
  }

  /// Through the same door as a meter's, so that buckets, resets and alerts are there too.
  private static func addReadings(_ now: Timestamp, _ db: Database) throws {
    let transaction = Transaction(alone: db)
    for meter in DemoMeter.all {
      let owner = try UserStore.credentials(of: meter.owner, in: db)?.user.id
      let device = try DeviceStore.insert(
        Device.Settings(
          name: meter.name, address: meter.address, owner: owner, timezone: meter.timezone,
          metrics: [meter.metric], hourlyLimit: meter.hourlyLimit), now: now, in: db)
      let end = Quarter.start(Quarter.number(at: now.milliseconds))
      let readings = meter.readings(from: end - month, to: end, now: now.milliseconds)
      let incoming = readings.enumerated().map {
        IncomingReading(index: $0.offset, device: device.id, metric: nil, reading: $0.element)
      }
      _ = try ReadingIntake.run(incoming, onlyFor: nil, in: transaction, now: now)
    }
  }
}
