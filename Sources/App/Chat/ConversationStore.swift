import GRDB

/// The SQL of conversations and their members.
enum ConversationStore {
  struct Made: Sendable {
    let id: Int64
    /// False for a direct pair that was there.
    let isNew: Bool
  }

  // MARK: Writing

  /// - Throws: `validation` naming the members that do not exist.
  static func insert(
    _ new: NewConversation, askedFor memberIDs: [String], now: Timestamp = .now(), in db: Database
  ) throws -> Made {
    try checkMembers(new, memberIDs, in: db)
    let directKey = new.kind == .direct ? new.members.map(String.init).joined(separator: ":") : nil
    if let directKey, let id = try direct(directKey, in: db) { return Made(id: id, isNew: false) }
    try db.execute(
      sql: "INSERT INTO conversations (kind, title, direct_key, created_at) VALUES (?, ?, ?, ?)",
      arguments: [new.kind.rawValue, new.title, directKey, now.milliseconds])
    let id = db.lastInsertedRowID
    let insert = try db.cachedStatement(
      sql: "INSERT INTO members (conversation_id, user_id, joined_at) VALUES (?, ?, ?)")
    for member in new.members { try insert.execute(arguments: [id, member, now.milliseconds]) }
    return Made(id: id, isNew: true)
  }

  static func direct(_ key: String, in db: Database) throws -> Int64? {
    try Int64.fetchOne(db, sql: "SELECT id FROM conversations WHERE direct_key = ?", arguments: [key])
  }

  private static func checkMembers(_ new: NewConversation, _ memberIDs: [String], in db: Database) throws {
    let find = try db.cachedStatement(sql: "SELECT 1 FROM users WHERE id = ? AND deleted_at IS NULL")
    let unknown = try Set(new.members.filter { try Row.fetchOne(find, arguments: [$0]) == nil })
    if unknown.isEmpty { return }
    let errors = memberIDs.enumerated().compactMap { index, id in
      EntityID.user.parse(id).map(unknown.contains) ?? false
        ? Problem.FieldError("/member_ids/\(index)", NewConversation.unknownMember) : nil
    }
    throw Problem.validation(errors)
  }

  // MARK: Reading

  /// One conversation as a member sees it; nil for anybody else.
  static func find(_ id: Int64, for user: Int64, in db: Database) throws -> Conversation? {
    let row = try Row.fetchOne(
      db.cachedStatement(sql: selection + " AND c.id = ?"), arguments: [user, user, id])
    return try row.map { try conversation($0, in: db) }
  }

  /// The place in the list after which a page begins: the newest first, by position, then by id.
  struct Place: Sendable {
    let position: Int64
    let id: Int64

    var cursor: String { Cursor.encode("\(position).\(id)") }

    init(position: Int64, id: Int64) {
      self.position = position
      self.id = id
    }

    init?(_ text: String) {
      let parts = text.split(separator: ".")
      guard parts.count == 2, let position = Int64(parts[0]), let id = Int64(parts[1]) else { return nil }
      self.init(position: position, id: id)
    }
  }

  struct Listed: Sendable {
    let conversations: [Conversation]
    /// Where the next page begins; nil at the end.
    let next: Place?
    /// The store's position at the moment of this list.
    let position: Int64
  }

  static func page(for user: Int64, after place: Place?, limit: Int, in db: Database) throws -> Listed {
    let sql = selection + " AND (last_position, c.id) < (?, ?) ORDER BY last_position DESC, c.id DESC LIMIT ?"
    let start = place ?? Place(position: .max, id: .max)
    let rows = try Row.fetchAll(
      db.cachedStatement(sql: sql), arguments: [user, user, start.position, start.id, limit + 1])
    let shown = rows.prefix(limit)
    let next =
      rows.count > limit ? shown.last.map { Place(position: $0["last_position"], id: $0["id"]) } : nil
    return Listed(
      conversations: try shown.map { try conversation($0, in: db) }, next: next,
      position: try Positions.last(in: db))
  }

  private static let selection = """
    SELECT c.id, c.kind, c.title, m.read_seq,
      coalesce((SELECT max(seq) FROM messages WHERE conversation_id = c.id), 0) AS last_seq,
      (SELECT count(*) FROM messages
       WHERE conversation_id = c.id AND seq > m.read_seq AND sender_id <> ?) AS unread,
      coalesce((SELECT position FROM messages WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1), 0)
        AS last_position
    FROM members m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.user_id = ?
    """

  private static func conversation(_ row: Row, in db: Database) throws -> Conversation {
    let id: Int64 = row["id"]
    return Conversation(
      id: EntityID.conversation.text(id), kind: Conversation.Kind(rawValue: row["kind"]) ?? .group,
      title: row["title"], members: try members(of: id, in: db), lastMessage: try lastMessage(of: id, in: db),
      lastSeq: row["last_seq"], readSeq: row["read_seq"], unread: row["unread"])
  }

  private static func members(of id: Int64, in db: Database) throws -> [User.Profile] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT u.id, u.username, u.display_name, u.email, u.role, u.disabled, u.created_at, u.token_version,
          u.deleted_at
        FROM members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id = ? ORDER BY u.id
        """)
    return try Row.fetchAll(statement, arguments: [id]).map { row in
      User.Profile(try User(row: row), isDeleted: row["deleted_at"] != nil)
    }
  }

  private static func lastMessage(of id: Int64, in db: Database) throws -> Conversation.LastMessage? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT seq, position, sender_id, timestamp, kind, text FROM messages
        WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1
        """)
    return try Row.fetchOne(statement, arguments: [id]).map { row in
      Conversation.LastMessage(
        conversation: EntityID.conversation.text(id), seq: row["seq"], position: row["position"],
        sender: EntityID.user.text(row["sender_id"]), timestamp: Timestamp(milliseconds: row["timestamp"]),
        kind: "\(MessageKind.name(row["kind"]))", text: row["text"])
    }
  }
}
