import GRDB

/// The SQL of sessions: a log-in and all the tokens that came from it. A session that has ended stays until its last token
/// would have expired.
enum Session {
  /// How long a session's tokens live, in milliseconds of Unix time.
  struct Times {
    /// The access token that was made last.
    let access: Int64
    /// The refresh token, where there is one.
    var refresh: Int64 = 0

    /// When nothing of the session can be used any more.
    var end: Int64 { max(refresh, access + JWT.leeway * 1000) }
  }

  /// - Returns: the session's id.
  static func begin(for user: Int64, _ times: Times, _ now: Timestamp, in db: Database) throws -> Int64 {
    try db.cachedStatement(
      sql: "INSERT INTO sessions (user_id, created_at, expires_at, access_until) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [user, now.milliseconds, times.end, times.access])
    return db.lastInsertedRowID
  }

  static func extend(_ session: Int64, _ times: Times, in db: Database) throws {
    try db.cachedStatement(sql: "UPDATE sessions SET expires_at = ?, access_until = ? WHERE id = ?")
      .execute(arguments: [times.end, times.access, session])
  }

  /// Drops those of which no token lives; some of them, because other changes wait meanwhile.
  static func purge(_ now: Timestamp, in db: Database) throws {
    try db.cachedStatement(
      sql: "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT 1000)"
    ).execute(arguments: [now.milliseconds])
  }

  /// Ends the session of a token for good, with all its tokens and sockets.
  static func end(_ caller: Caller, _ now: Timestamp = .now(), in transaction: Transaction) throws {
    if caller.session < 0 {
      let times = Times(access: caller.expiresAt * 1000)
      try transaction.db.execute(
        sql: """
          INSERT INTO sessions (id, user_id, created_at, expires_at, access_until) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT DO NOTHING
          """, arguments: [caller.session, caller.user, now.milliseconds, times.end, times.access])
    }
    try end(caller.session, of: caller.user, now, in: transaction)
  }

  static func end(
    _ session: Int64, of user: Int64, _ now: Timestamp = .now(), in transaction: Transaction
  ) throws {
    try transaction.db.execute(
      sql: "DELETE FROM refresh_tokens WHERE session_id = ?", arguments: [session])
    let until = try Int64.fetchOne(
      transaction.db,
      sql: """
        UPDATE sessions SET ended_at = coalesce(ended_at, ?) WHERE id = ? RETURNING access_until
        """, arguments: [now.milliseconds, session])
    guard let until else { return }
    transaction.announce(.sessionEnded(session, user: user, until: lastSecond(until)))
  }

  static func hasEnded(_ session: Int64, in db: Database) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: "SELECT 1 FROM sessions WHERE id = ? AND ended_at IS NOT NULL")
    return try Row.fetchOne(statement, arguments: [session]) != nil
  }

  /// Ends all sessions of a user. Their access tokens die with the user's version.
  static func endAll(of user: Int64, _ now: Timestamp = .now(), in db: Database) throws {
    try db.execute(
      sql: "DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = ?)",
      arguments: [user])
    try db.execute(
      sql: "UPDATE sessions SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL",
      arguments: [now.milliseconds, user])
  }

  /// The last Unix second in which a token could be taken that expires then.
  static func lastSecond(_ accessUntil: Int64) -> Int64 { accessUntil / 1000 + JWT.leeway }
}
