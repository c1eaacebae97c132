import GRDB

/// The SQL of users. Deleted ones are never found; their rows stay, because messages name them.
enum UserStore {
  /// What a log-in needs.
  struct Credentials: Sendable {
    let user: User
    let passwordHash: String?

    fileprivate init(_ row: Row) throws {
      user = try User(row: row)
      passwordHash = row["password_hash"]
    }
  }

  private static let select = """
    SELECT id, username, display_name, email, role, disabled, created_at, token_version, password_hash
    FROM users WHERE deleted_at IS NULL
    """

  static func find(_ id: Int64, in db: Database) throws -> User? {
    try User.fetchOne(db.cachedStatement(sql: select + " AND id = ?"), arguments: [id])
  }

  static func credentials(of username: String, in db: Database) throws -> Credentials? {
    guard Username.isValid(username) else { return nil }
    let statement = try db.cachedStatement(sql: select + " AND username_folded = ?")
    return try Row.fetchOne(statement, arguments: [Username.fold(username)]).map(Credentials.init)
  }

  static func credentials(of id: Int64, in db: Database) throws -> Credentials? {
    try Row.fetchOne(db.cachedStatement(sql: select + " AND id = ?"), arguments: [id]).map(Credentials.init)
  }

  /// The user as it is now, if the password is still the same and may be used.
  static func unchanged(_ credentials: Credentials, in db: Database) throws -> User? {
    guard let now = try self.credentials(of: credentials.user.id, in: db), !now.user.disabled,
      now.passwordHash == credentials.passwordHash
    else { return nil }
    return now.user
  }

  /// Users in the order of their names.
  /// - Parameters:
  ///   - prefix: how their names begin, without case.
  ///   - after: the folded name of the last user of the page before.
  static func page(prefix: String, after: String?, limit: Int, in db: Database) throws -> [User] {
    let sql =
      select + " AND username_folded >= ? AND username_folded < ? AND username_folded > ?"
      + " ORDER BY username_folded LIMIT ?"
    let folded = Username.fold(prefix)
    // Names are ASCII. '-' sorts before every other byte that one can hold, so `#system` is left out; DEL after all.
    let start = max(folded, "-")
    let end = folded + "\u{7F}"
    return try User.fetchAll(db.cachedStatement(sql: sql), arguments: [start, end, after ?? "", limit])
  }

  /// - Returns: nil if the name is taken.
  static func insert(
    _ user: NewUser, passwordHash: String?, now: Timestamp = .now(), in db: Database
  ) throws -> User? {
    try db.cachedStatement(
      sql: """
        INSERT INTO users (username, username_folded, display_name, email, role, disabled, password_hash, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (username_folded) DO NOTHING
        """
    ).execute(arguments: [
      user.username, Username.fold(user.username), user.displayName, user.email, user.role.rawValue,
      user.disabled, passwordHash, now.milliseconds,
    ])
    return db.changesCount == 0 ? nil : try find(db.lastInsertedRowID, in: db)
  }

  static func update(_ user: User, passwordHash: String?, in db: Database) throws {
    try db.execute(
      sql: """
        UPDATE users SET display_name = ?, email = ?, role = ?, disabled = ?,
          password_hash = coalesce(?, password_hash)
        WHERE id = ?
        """,
      arguments: [
        user.displayName, user.email, user.role.rawValue, user.disabled, passwordHash, user.id,
      ])
  }

  /// Keeps the row, for messages name it, with nothing of the person in it. The name is free again: '#' is in none.
  static func delete(_ id: Int64, _ now: Timestamp = .now(), in db: Database) throws {
    try db.execute(
      sql: """
        UPDATE users SET deleted_at = ?, username = 'deleted', username_folded = '#' || id,
          display_name = 'Deleted user', email = NULL, password_hash = NULL
        WHERE id = ?
        """, arguments: [now.milliseconds, id])
  }

  /// - Returns: the user's new version; tokens of earlier ones are dead.
  static func raiseTokenVersion(_ id: Int64, in db: Database) throws -> Int64 {
    try Int64.fetchOne(
      db, sql: "UPDATE users SET token_version = token_version + 1 WHERE id = ? RETURNING token_version",
      arguments: [id]) ?? 0
  }

  /// Whether there is an administrator beside this user who can log in.
  static func hasOtherAdministrator(than id: Int64, in db: Database) throws -> Bool {
    try Bool.fetchOne(
      db,
      sql: """
        SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND disabled = 0
          AND password_hash IS NOT NULL AND deleted_at IS NULL AND id <> ?)
        """, arguments: [id]) ?? false
  }

  /// Whether anybody could log in; users for load tests cannot.
  static func hasLogin(in db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM users WHERE password_hash IS NOT NULL)") ?? false
  }
}
