import COpenSSL
import GRDB

/// Refresh tokens: opaque, random, each good for one use (RFC 9700 §4.14.2). A token that comes a second time was
/// copied, by whom nobody can tell: its whole session ends.
///
/// The store holds digests only, so a stolen backup logs nobody in.
struct RefreshTokens: Sendable {
  /// Milliseconds.
  let lifetime: Int64
  /// That of the access tokens beside them, in milliseconds.
  let accessLifetime: Int64

  /// A refresh token, and what the access token beside it is made for.
  struct Issued: Sendable {
    let user: User
    let session: Int64
    let token: String
    let time: Timestamp
  }

  /// A new log-in's first token.
  func begin(for user: User, now: Timestamp = .now(), in db: Database) throws -> Issued {
    try Session.purge(now, in: db)
    let session = try Session.begin(for: user.id, times(now), now, in: db)
    return Issued(user: user, session: session, token: try insert(session: session, now, in: db), time: now)
  }

  /// Uses a token up.
  /// - Returns: its successor; nil if it is unknown, expired or used.
  func use(_ token: String, now: Timestamp = .now(), in transaction: Transaction) throws -> Issued? {
    let db = transaction.db
    let digest = Self.digest(token)
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT s.id, s.user_id, t.expires_at, t.used_at
        FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.digest = ?
        """,
      arguments: [digest])
    guard let row else { return nil }
    let session: Int64 = row["id"]
    guard row["used_at"] == nil else {
      try Session.end(session, of: row["user_id"], now, in: transaction)
      return nil
    }
    guard row["expires_at"] > now.milliseconds, let user = try UserStore.find(row["user_id"], in: db),
      !user.disabled
    else { return nil }
    try db.execute(
      sql: "UPDATE refresh_tokens SET used_at = ? WHERE digest = ?", arguments: [now.milliseconds, digest])
    try Session.extend(session, times(now), in: db)
    return Issued(user: user, session: session, token: try insert(session: session, now, in: db), time: now)
  }

  private func times(_ now: Timestamp) -> Session.Times {
    Session.Times(access: now.milliseconds + accessLifetime, refresh: now.milliseconds + lifetime)
  }

  private func insert(session: Int64, _ now: Timestamp, in db: Database) throws -> String {
    let token = Base64URL.encode(RandomBytes.make(32))
    try db.execute(
      sql: "INSERT INTO refresh_tokens (digest, session_id, expires_at) VALUES (?, ?, ?)",
      arguments: [Self.digest(token), session, now.milliseconds + lifetime])
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
