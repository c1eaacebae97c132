import GRDB

/// How far each member has received and read a conversation. Marks only grow, and what is read has been received.
extension MessageLog {
  /// A member's marks.
  private struct Marks: Equatable {
    var received: Int64
    var read: Int64
    /// As the others see it: without private reads.
    var publicRead: Int64

    mutating func grow(_ operation: PublishBatch.Operation, to seq: Int64) {
      received = max(received, seq)
      if operation == .receive { return }
      read = max(read, seq)
      if operation == .read { publicRead = max(publicRead, seq) }
    }
  }

  func mark(_ entry: inout PublishBatch.Entry, _ db: Database) throws {
    guard let conversation = try conversation(entry.conversation, db),
      conversation.members.contains(entry.sender)
    else {
      entry.outcome = .notFound
      return
    }
    guard (1...max(1, conversation.lastSeq)).contains(entry.seq), conversation.lastSeq > 0 else {
      entry.outcome = .noSuchSeq
      return
    }
    let (before, ownRead) = try marks(of: entry.sender, in: entry.conversation, db)
    var after = before
    after.grow(entry.operation, to: entry.seq)
    guard after != before else {
      entry.outcome = .unchanged
      return
    }
    entry.position = try positions.next(db)
    entry.members = conversation.members
    let isSeen = after.received != before.received || after.publicRead != before.publicRead
    let receipt = Receipt(
      position: entry.position, conversation: entry.conversation, user: entry.sender,
      receivedSeq: after.received, readSeq: after.read,
      publicReadSeq: isSeen && conversation.members.areAcquainted ? after.publicRead : nil)
    let own = try SentCounts.own(
      entry.sender, in: entry.conversation, upTo: after.read,
      knowing: (upTo: before.read, count: ownRead), countedSeq: conversation.countedSeq, db)
    try store(receipt, publicRead: after.publicRead, ownRead: own, db)
    positions.use(entry.position)
    entry.effect = .receipt(receipt)
    entry.outcome = .stored
  }

  private func marks(
    of user: Int64, in conversation: Int64, _ db: Database
  ) throws -> (Marks, ownRead: Int64) {
    let find = try RawStatement(
      """
      SELECT received_seq, read_seq, public_read_seq, own_read FROM members
      WHERE conversation_id = ?1 AND user_id = ?2
      """, db)
    find.bind(conversation, user)
    var found = (Marks(received: 0, read: 0, publicRead: 0), ownRead: Int64(0))
    try find.eachRow { row in
      found.0 = Marks(received: row.integer(0), read: row.integer(1), publicRead: row.integer(2))
      found.ownRead = row.integer(3)
      return false
    }
    return found
  }

  private func store(_ receipt: Receipt, publicRead: Int64, ownRead: Int64, _ db: Database) throws {
    let update = try RawStatement(
      """
      UPDATE members SET received_seq = ?3, read_seq = ?4, public_read_seq = ?5, own_read = ?6
      WHERE conversation_id = ?1 AND user_id = ?2
      """, db)
    update.bind(
      receipt.conversation, receipt.user, receipt.receivedSeq, receipt.readSeq, publicRead, ownRead)
    try update.run()
    try EventStore.record(receipt, db)
  }
}

/// How many messages each user has sent in a conversation, up to its `counted_seq`; what is above is counted in the index
/// when it is asked for, and is never more than `stride`. So `unread`, the number of others' messages above a mark, is
/// always a difference of sums over messages, and costs the same in a conversation of a million.
enum SentCounts {
  static let stride: Int64 = 4096

  static func countedSeq(of conversation: Int64, _ db: Database) throws -> Int64 {
    let statement = try db.cachedStatement(sql: "SELECT counted_seq FROM conversations WHERE id = ?")
    return try Int64.fetchOne(statement, arguments: [conversation]) ?? 0
  }

  /// Adds the messages above `from`.
  static func count(_ conversation: Int64, from: Int64, to: Int64, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO sent_counts (conversation_id, user_id, sent)
        SELECT conversation_id, sender_id, count(*) FROM messages
        WHERE conversation_id = ? AND seq > ? AND seq <= ? GROUP BY sender_id
        ON CONFLICT DO UPDATE SET sent = sent + excluded.sent
        """
    ).execute(arguments: [conversation, from, to])
    try db.cachedStatement(sql: "UPDATE conversations SET counted_seq = ? WHERE id = ?")
      .execute(arguments: [to, conversation])
  }

  /// The user's own messages up to a `seq`.
  /// - Parameter known: the same of a lower one.
  static func own(
    _ user: Int64, in conversation: Int64, upTo seq: Int64, knowing known: (upTo: Int64, count: Int64),
    countedSeq: Int64, _ db: Database
  ) throws -> Int64 {
    if seq == known.upTo { return known.count }
    if seq < countedSeq || known.upTo > countedSeq {
      return try known.count + between(known.upTo, seq, of: user, in: conversation, db)
    }
    let sent = try db.cachedStatement(
      sql: "SELECT sent FROM sent_counts WHERE conversation_id = ? AND user_id = ?")
    return try (Int64.fetchOne(sent, arguments: [conversation, user]) ?? 0)
      + between(countedSeq, seq, of: user, in: conversation, db)
  }

  private static func between(
    _ low: Int64, _ high: Int64, of user: Int64, in conversation: Int64, _ db: Database
  ) throws -> Int64 {
    let count = try RawStatement(
      """
      SELECT count(*) FROM messages
      WHERE conversation_id = ?1 AND seq > ?2 AND seq <= ?3 AND sender_id = ?4
      """, db)
    count.bind(conversation, low, high, user)
    return try count.firstInteger() ?? 0
  }

  /// A column of a query: others' messages above `read_seq`, of a member `m` of the conversation `c`.
  static let unread = """
    (SELECT coalesce(max(seq), 0) FROM messages WHERE conversation_id = c.id) - m.read_seq
      - (coalesce((SELECT sent FROM sent_counts s WHERE s.conversation_id = c.id AND s.user_id = m.user_id), 0)
        + (SELECT count(*) FROM messages
           WHERE conversation_id = c.id AND seq > c.counted_seq AND sender_id = m.user_id)
        - m.own_read)
    """
}
