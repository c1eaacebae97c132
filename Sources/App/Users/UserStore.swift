import GRDB

/// The SQL of users. Deleted ones are never found; their rows stay, because messages name them.
enum UserStore {
  /// What a log-in needs.
  struct Credentials: Sendable {
    let user: User
    let passwordHash: String?
  }

  private static let select = """
    SELECT id, username, display_name, email, role, disabled, created_at, password_hash
    FROM users WHERE deleted_at IS NULL
    """

  static func find(_ id: Int64, in db: Database) throws -> User? {
    try User.fetchOne(db.cachedStatement(sql: select + " AND id = ?"), arguments: [id])
  }

  static func credentials(of username: String, in db: Database) throws -> Credentials? {
    guard Username.isValid(username) else { return nil }
    let statement = try db.cachedStatement(sql: select + " AND username_folded = ?")
    return try Row.fetchOne(statement, arguments: [Username.fold(username)]).map { row in
      Credentials(user: try User(row: row), passwordHash: row["password_hash"])
    }
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

  /// - Returns: nil if the name is taken, by a deleted user too.
  static func insert(
    _ user: NewUser, passwordHash: String?, now: Timestamp = .now(), in db: Database
  ) throws -> User? {
    try db.cachedStatement(
      sql: """
        INSERT INTO users (username, username_folded, display_name, email, role, password_hash, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (username_folded) DO NOTHING
        """
    ).execute(arguments: [
      user.username, Username.fold(user.username), user.displayName, user.email, user.role.rawValue,
      passwordHash, now.milliseconds,
    ])
    return db.changesCount == 0 ? nil : try find(db.lastInsertedRowID, in: db)
  }

  /// Whether anybody could log in; users for load tests cannot.
  static func hasLogin(in db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM users WHERE password_hash IS NOT NULL)") ?? false
  }
}
