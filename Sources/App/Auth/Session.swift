import GRDB

/// The SQL of sessions: a log-in and all the tokens that came from it. A session that has ended stays until its last token
/// would have expired.
enum Session {
  /// - Parameter expiry: milliseconds of Unix time.
  /// - Returns: the session's id.
  static func begin(for user: Int64, until expiry: Int64, _ now: Timestamp, in db: Database) throws -> Int64 {
    try db.cachedStatement(sql: "INSERT INTO sessions (user_id, created_at, expires_at) VALUES (?, ?, ?)")
      .execute(arguments: [user, now.milliseconds, expiry])
    return db.lastInsertedRowID
  }

  static func extend(_ session: Int64, until expiry: Int64, in db: Database) throws {
    try db.cachedStatement(sql: "UPDATE sessions SET expires_at = ? WHERE id = ?")
      .execute(arguments: [expiry, session])
  }

  /// Ends it for good. Its refresh tokens go; its access tokens are the business of who checks them.
  static func end(_ session: Int64, _ now: Timestamp = .now(), in db: Database) throws {
    try db.execute(sql: "DELETE FROM refresh_tokens WHERE session_id = ?", arguments: [session])
    try db.execute(
      sql: "UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at IS NULL",
      arguments: [now.milliseconds, session])
  }
}
