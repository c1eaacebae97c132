import GRDB

/// Support conversations: one for a user, with all administrators. Each of those is a member like any other, so they are
/// told, counted and allowed the same way; who becomes an administrator joins them all.
enum SupportConversations {
  /// The user's own, made on first use.
  static func open(for user: Int64, now: Timestamp = .now(), in db: Database) throws -> ConversationStore.Made
  {
    // A direct key names two users, so one number alone is free for this.
    let key = String(user)
    if let id = try ConversationStore.direct(key, in: db) { return .init(id: id, isNew: false) }
    try db.execute(
      sql: "INSERT INTO conversations (kind, direct_key, created_at) VALUES ('support', ?, ?)",
      arguments: [key, now.milliseconds])
    let id = db.lastInsertedRowID
    try db.execute(
      sql: """
        INSERT INTO members (conversation_id, user_id, joined_at)
        SELECT ?1, id, ?3 FROM users WHERE id = ?2 OR (role = 'admin' AND deleted_at IS NULL)
        """, arguments: [id, user, now.milliseconds])
    return .init(id: id, isNew: true)
  }

  /// Makes a new administrator a member of them all.
  static func join(_ user: Int64, now: Timestamp = .now(), in db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO members (conversation_id, user_id, joined_at)
        SELECT id, ?1, ?2 FROM conversations WHERE kind = 'support'
        ON CONFLICT DO NOTHING
        """, arguments: [user, now.milliseconds])
  }

  /// Takes somebody who is no administrator any more out of all but their own.
  static func leave(_ user: Int64, in db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM members WHERE user_id = ?1 AND conversation_id IN
          (SELECT id FROM conversations WHERE kind = 'support' AND direct_key <> ?2)
        """, arguments: [user, String(user)])
  }
}
