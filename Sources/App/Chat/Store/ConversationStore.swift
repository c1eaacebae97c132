import GRDB

/// The SQL of conversations and their members.
enum ConversationStore {
  struct Made: Sendable {
    let id: Int64
    /// False for a direct pair that was there.
    let isNew: Bool
  }

  // MARK: Reading

  static func find(_ id: Int64, in db: Database) throws -> Conversation? {
    let statement = try db.cachedStatement(
      sql: "SELECT kind, title, founder_id FROM conversations WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id]).map { row in
      Conversation(
        id: id, kind: Conversation.Kind(rawValue: row["kind"]) ?? .group, title: row["title"],
        founder: row["founder_id"])
    }
  }

  /// nil if nobody is a member: there is no such conversation.
  static func memberList(of id: Int64, in db: Database) throws -> MemberList? {
    let find = try RawStatement(
      "SELECT user_id FROM members WHERE conversation_id = ?1 ORDER BY user_id", db)
    find.bind(id)
    var users: [Int64] = []
    try find.eachRow { row in
      users.append(row.integer(0))
      return true
    }
    return users.isEmpty ? nil : MemberList(users)
  }

  static func isMember(_ user: Int64, of conversation: Int64, in db: Database) throws -> Bool {
    let find = try RawStatement(
      "SELECT 1 FROM members WHERE conversation_id = ?1 AND user_id = ?2", db)
    find.bind(conversation, user)
    return try find.firstInteger() != nil
  }

  static func direct(_ key: String, in db: Database) throws -> Int64? {
    try Int64.fetchOne(db, sql: "SELECT id FROM conversations WHERE direct_key = ?", arguments: [key])
  }

  static func person(_ id: Int64, in db: Database) throws -> ConversationEvent.Person? {
    let statement = try db.cachedStatement(
      sql: "SELECT username, display_name FROM users WHERE id = ? AND deleted_at IS NULL")
    return try Row.fetchOne(statement, arguments: [id]).map {
      ConversationEvent.Person(id: id, username: $0["username"], displayName: $0["display_name"])
    }
  }

  /// The same of somebody who may be deleted.
  static func anyone(_ id: Int64, in db: Database) throws -> ConversationEvent.Person {
    try person(id, in: db) ?? .init(id: id, username: "deleted", displayName: "Deleted user")
  }

  // MARK: Writing

  static func insert(
    _ kind: Conversation.Kind, title: String?, directKey: String?, founder: Int64?, _ now: Timestamp,
    in db: Database
  ) throws -> Int64 {
    try db.cachedStatement(
      sql: """
        INSERT INTO conversations (kind, title, direct_key, founder_id, created_at) VALUES (?, ?, ?, ?, ?)
        """
    ).execute(arguments: [kind.rawValue, title, directKey, founder, now.milliseconds])
    return db.lastInsertedRowID
  }

  /// Makes a user a member who has read all that is there: it is history, not news.
  /// - Parameter position: that of the event which tells of it.
  static func add(
    _ user: Int64, to conversation: Int64, at position: Int64, _ now: Timestamp, in db: Database
  ) throws {
    let last = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT max(seq) FROM messages WHERE conversation_id = ?"),
      arguments: [conversation])
    let seq = last ?? 0
    let own = try SentCounts.own(
      user, in: conversation, upTo: seq, knowing: (upTo: 0, count: 0),
      countedSeq: SentCounts.countedSeq(of: conversation, db), db)
    try db.cachedStatement(
      sql: """
        INSERT INTO members
          (conversation_id, user_id, joined_at, joined_position, received_seq, read_seq, public_read_seq, own_read)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6)
        """
    ).execute(arguments: [conversation, user, now.milliseconds, position, seq, own])
  }

  static func remove(_ user: Int64, from conversation: Int64, in db: Database) throws {
    try db.cachedStatement(sql: "DELETE FROM members WHERE conversation_id = ? AND user_id = ?")
      .execute(arguments: [conversation, user])
  }

  static func setTitle(_ title: String?, of conversation: Int64, in db: Database) throws {
    try db.execute(
      sql: "UPDATE conversations SET title = ? WHERE id = ?", arguments: [title, conversation])
  }
}
