import GRDB

/// Support conversations: one for a user, with all administrators. Each of those is a member like any other, so they are
/// told, counted and allowed the same way; who becomes an administrator joins them all.
enum SupportConversations {
  static func administrators(in db: Database) throws -> [Int64] {
    try Int64.fetchAll(
      db, sql: "SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL ORDER BY id")
  }

  /// Makes a new administrator a member of them all, outside the server: nobody is told, and nobody has to be, because the
  /// administrator's first look finds them.
  static func join(_ user: Int64, now: Timestamp = .now(), in db: Database) throws {
    for conversation in try missing(user, in: db) {
      try ConversationStore.add(user, to: conversation, at: Positions.last(in: db), now, in: db)
    }
  }

  /// The same where others may be looking.
  static func join(_ user: Int64, in transaction: Transaction) throws {
    let changes = ConversationChanges(transaction, by: user)
    for conversation in try missing(user, in: transaction.db) { try changes.add([user], to: conversation) }
  }

  /// Takes somebody who is no administrator any more out of all but their own.
  static func leave(_ user: Int64, in transaction: Transaction) throws {
    let changes = ConversationChanges(transaction, by: user)
    let left = try Int64.fetchAll(
      transaction.db,
      sql: """
        SELECT c.id FROM members m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.user_id = ? AND c.kind = 'support' AND c.direct_key <> ?
        """, arguments: [user, String(user)])
    for conversation in left { try changes.remove(user, from: conversation) }
  }

  private static func missing(_ user: Int64, in db: Database) throws -> [Int64] {
    try Int64.fetchAll(
      db,
      sql: """
        SELECT id FROM conversations WHERE kind = 'support'
          AND NOT EXISTS (SELECT 1 FROM members WHERE conversation_id = conversations.id AND user_id = ?)
        """, arguments: [user])
  }
}
