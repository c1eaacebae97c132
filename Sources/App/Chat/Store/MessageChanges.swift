import GRDB

/// Edits and deletions.
extension MessageLog {
  /// A message as it stands before it is changed.
  private struct Present {
    let position: Int64
    let sender: Int64
    let timestamp: Int64
    let kind: Int64
    let text: String
    let key: String
    let replyTo: Int64
    let editedAt: Int64?
    let deletedAt: Int64?
    let changedPosition: Int64?

    init(_ row: Row) {
      position = row["position"]
      sender = row["sender_id"]
      timestamp = row["timestamp"]
      kind = row["kind"]
      text = row["text"]
      key = row["key"] ?? ""
      replyTo = row["reply_to"] ?? 0
      editedAt = row["edited_at"]
      deletedAt = row["deleted_at"]
      changedPosition = row["changed_position"]
    }

    func unchanged(_ entry: PublishBatch.Entry) -> ChangedMessage {
      ChangedMessage(
        conversation: entry.conversation, seq: entry.seq, position: changedPosition ?? position,
        previousPosition: position, sender: sender,
        timestamp: timestamp, kind: kind, text: text, key: key, replyTo: replyTo, editedAt: editedAt,
        deletedAt: deletedAt)
    }
  }

  func change(_ entry: inout PublishBatch.Entry, _ bytes: [UInt8], _ db: Database) throws {
    guard let conversation = try conversation(entry.conversation, db),
      conversation.members.contains(entry.sender), let present = try present(entry, db)
    else {
      entry.outcome = .notFound
      return
    }
    entry.members = conversation.members
    let text = entry.operation == .edit ? String(decoding: bytes[entry.text.range], as: UTF8.self) : ""
    if let refusal = try refusal(entry, present, text, db) {
      entry.outcome = refusal
      entry.position = present.changedPosition ?? present.position
      entry.timestamp = present.deletedAt ?? present.editedAt ?? present.timestamp
      entry.effect = .message(present.unchanged(entry))
      return
    }
    entry.position = try positions.next(db)
    entry.timestamp = time()
    let isDeletion = entry.operation == .delete
    let changed = ChangedMessage(
      conversation: entry.conversation, seq: entry.seq, position: entry.position,
      previousPosition: present.changedPosition ?? present.position, sender: present.sender,
      timestamp: present.timestamp, kind: present.kind, text: text, key: present.key,
      replyTo: present.replyTo,
      editedAt: isDeletion ? present.editedAt : entry.timestamp, deletedAt: isDeletion ? entry.timestamp : nil
    )
    try store(changed, over: present, by: entry.sender, db)
    positions.use(entry.position)
    entry.effect = .message(changed)
    entry.outcome = .stored
  }

  private func present(_ entry: PublishBatch.Entry, _ db: Database) throws -> Present? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT position, sender_id, timestamp, kind, text, key, reply_to, edited_at, deleted_at, changed_position
        FROM messages WHERE conversation_id = ? AND seq = ?
        """)
    return try Row.fetchOne(statement, arguments: [entry.conversation, entry.seq]).map(Present.init)
  }

  /// What is wrong with the change, or that it is one no more; nil if it is to be made.
  private func refusal(
    _ entry: PublishBatch.Entry, _ present: Present, _ text: String, _ db: Database
  ) throws -> PublishBatch.Outcome? {
    let isOwn = present.sender == entry.sender
    if entry.operation == .delete {
      guard try isOwn || UserStore.find(entry.sender, in: db)?.role == .admin else { return .forbidden }
      return present.deletedAt == nil ? nil : .unchanged
    }
    guard isOwn else { return .forbidden }
    if present.deletedAt != nil { return .deleted }
    return present.text == text ? .unchanged : nil
  }

  private func store(
    _ changed: ChangedMessage, over present: Present, by user: Int64, _ db: Database
  ) throws {
    try index.replace(
      present.text, with: changed.text, of: present.position, in: changed.conversation, db)
    try db.cachedStatement(
      sql: """
        UPDATE messages SET text = ?, edited_at = ?, deleted_at = ?, changed_position = ?,
          first_digest = coalesce(first_digest, ?)
        WHERE position = ?
        """
    ).execute(arguments: [
      changed.text, changed.editedAt, changed.deletedAt, changed.position, TextDigest.make(present.text.utf8),
      present.position,
    ])
    try EventStore.record(changed, by: user, db)
  }
}
