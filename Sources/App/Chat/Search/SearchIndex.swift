import GRDB

/// The words of all messages (SQLite FTS5), a little behind the messages themselves: a thousand in one transaction cost a
/// fifth of what they cost one by one. Belongs to the writer's thread.
final class SearchIndex {
  private var indexed: Int64?

  /// What is in memory may have been rolled back.
  func forget() { indexed = nil }

  /// Takes in the next messages.
  /// - Returns: how many are left behind, by their positions: no fewer than there are.
  func advance(by limit: Int, _ db: Database) throws -> Int64 {
    let last = try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(position) FROM messages")) ?? 0
    let start = try position(db)
    guard last > start else { return 0 }
    let end =
      try Int64.fetchOne(
        db.cachedStatement(
          sql: """
            SELECT max(position) FROM (SELECT position FROM messages WHERE position > ? ORDER BY position LIMIT ?)
            """), arguments: [start, limit]) ?? last
    try db.cachedStatement(
      sql: """
        INSERT INTO message_words (rowid, text, scope)
        SELECT position, text, scope FROM searchable WHERE position > ? AND position <= ? AND text <> ''
        """
    ).execute(arguments: [start, end])
    try db.cachedStatement(sql: "UPDATE meta SET value = ? WHERE name = 'indexed'").execute(arguments: [
      String(end)
    ])
    indexed = end
    return last - end
  }

  /// To be called before the message's row is changed.
  func replace(
    _ old: String, with new: String, of position: Int64, in conversation: Int64, _ db: Database
  ) throws {
    guard try position <= self.position(db) else { return }
    let scope = EntityID.conversation.text(conversation)
    // FTS5 keeps no text of its own: to take words out it must be told them.
    if !old.isEmpty {
      try db.cachedStatement(
        sql: "INSERT INTO message_words (message_words, rowid, text, scope) VALUES ('delete', ?, ?, ?)"
      ).execute(arguments: [position, old, scope])
    }
    if !new.isEmpty {
      try db.cachedStatement(sql: "INSERT INTO message_words (rowid, text, scope) VALUES (?, ?, ?)")
        .execute(arguments: [position, new, scope])
    }
  }

  private func position(_ db: Database) throws -> Int64 {
    if let indexed { return indexed }
    let stored =
      try Int64.fetchOne(db, sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'indexed'") ?? 0
    indexed = stored
    return stored
  }
}
