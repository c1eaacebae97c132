import COpenSSL
import GRDB

/// Refresh tokens: opaque, random, each good for one use (RFC 9700 §4.14.2). A token that comes a second time was
/// copied, by whom nobody can tell: its whole session ends.
///
/// The store holds digests only, so a stolen backup logs nobody in.
struct RefreshTokens: Sendable {
  /// Milliseconds.
  let lifetime: Int64

  /// A new log-in's first token.
  func begin(for user: Int64, now: Timestamp = .now(), in db: Database) throws -> String {
    try db.execute(sql: "DELETE FROM sessions WHERE expires_at <= ?", arguments: [now.milliseconds])
    let session = try Session.begin(for: user, until: now.milliseconds + lifetime, now, in: db)
    return try insert(session: session, now, in: db)
  }

  /// Uses a token up.
  /// - Returns: whose it is, and its successor; nil if it is unknown, expired or used.
  func use(
    _ token: String, now: Timestamp = .now(), in db: Database
  ) throws -> (user: User, successor: String)? {
    let digest = Self.digest(token)
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT s.id, s.user_id, s.ended_at, t.expires_at, t.used_at
        FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.digest = ?
        """,
      arguments: [digest])
    guard let row else { return nil }
    let session: Int64 = row["id"]
    let user = try UserStore.find(row["user_id"], in: db)
    guard row["used_at"] == nil, row["ended_at"] == nil, row["expires_at"] > now.milliseconds, let user,
      !user.disabled
    else {
      try Session.end(session, now, in: db)
      return nil
    }
    try db.execute(
      sql: "UPDATE refresh_tokens SET used_at = ? WHERE digest = ?", arguments: [now.milliseconds, digest])
    return (user, try insert(session: session, now, in: db))
  }

  private func insert(session: Int64, _ now: Timestamp, in db: Database) throws -> String {
    let token = Base64URL.encode(RandomBytes.make(32))
    try db.execute(
      sql: "INSERT INTO refresh_tokens (digest, session_id, expires_at) VALUES (?, ?, ?)",
      arguments: [Self.digest(token), session, now.milliseconds + lifetime])
    try Session.extend(session, until: now.milliseconds + lifetime, in: db)
    return token
  }

  /// The tokens are random, so a plain digest is enough: there is nothing to guess.
  private static func digest(_ token: String) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    let bytes = Array(token.utf8)
    SHA256(bytes, bytes.count, &digest)
    return Base64URL.encode(digest)
  }
}
