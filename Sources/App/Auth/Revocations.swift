import GRDB

/// Which tokens are dead before their time. The loop's own copy of what the store says, made at the start and kept up by
/// announcements.
///
/// Bounded: a session is forgotten when its tokens would have expired anyway, and a user has one version.
struct Revocations: Sendable {
  /// The ended sessions, with the Unix second to which their tokens would have lived.
  private var ended: [Int64: Int64] = [:]
  /// The versions of users that are above 0.
  private var versions: [Int64: Int64] = [:]
  /// How many sessions there may be until the old ones are looked for.
  private var pruneAt = 1024

  init() {}

  init(_ db: Database, now: Timestamp = .now()) throws {
    let sessions = try Row.fetchAll(
      db, sql: "SELECT id, access_until FROM sessions WHERE ended_at IS NOT NULL AND access_until > ?",
      arguments: [now.milliseconds - JWT.leeway * 1000])
    for row in sessions { ended[row["id"]] = Session.lastSecond(row["access_until"]) }
    let users = try Row.fetchAll(db, sql: "SELECT id, token_version FROM users WHERE token_version > 0")
    for row in users { versions[row["id"]] = row["token_version"] }
  }

  func cover(_ caller: Caller, version: Int64) -> Bool {
    ended[caller.session] != nil || version < versions[caller.user] ?? 0
  }

  mutating func end(session: Int64, until: Int64, now: Int64) {
    ended[session] = until
    guard ended.count >= pruneAt else { return }
    ended = ended.filter { $0.value >= now }
    pruneAt = max(1024, 2 * ended.count)
  }

  mutating func revoke(_ user: Int64, below version: Int64) {
    versions[user] = max(version, versions[user] ?? 0)
  }

  /// The ended sessions that are remembered.
  var sessionCount: Int { ended.count }
}
