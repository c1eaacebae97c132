import COpenSSL
import GRDB
import GRDBSQLite
import Reactor

/// Writes what a batch asks for into the store, inside the writer's transaction.
///
/// It alone gives out `seq` and `position`, and it alone decides who is a member, from what the transaction sees: a
/// message and a change of members cannot pass each other. The values are bound straight from the batch's bytes through
/// GRDB's cached statements: making Swift strings of them would cost more than the insert.
final class MessageLog {
  struct Conversation {
    var lastSeq: Int64
    /// Up to there the messages of each sender have been counted (`SentCounts`).
    var countedSeq: Int64
    let members: MemberList
  }

  /// Conversations lately written to. Dropped as a whole at the limit, and when a transaction fails or members change.
  private var conversations: [Int64: Conversation] = [:]
  let positions: Positions
  let index: SearchIndex
  private var lastTimestamp: Int64 = 0
  private static let conversationLimit = 100_000

  init(positions: Positions, index: SearchIndex) {
    self.positions = positions
    self.index = index
  }

  /// What is in memory may have been rolled back, or changed by others.
  func forget() { conversations = [:] }

  /// Members of conversations have changed.
  func forget(_ conversation: Int64) { conversations[conversation] = nil }

  func append(_ batch: PublishBatch, _ db: Database) throws {
    lastTimestamp = time()
    if conversations.count > Self.conversationLimit { conversations = [:] }
    let insert = try db.cachedStatement(sql: Self.insertion)
    for index in batch.entries.indices {
      switch batch.entries[index].operation {
      case .send: try append(&batch.entries[index], batch.bytes, insert.sqliteStatement, db)
      case .edit, .delete: try change(&batch.entries[index], batch.bytes, db)
      case .receive, .read, .readPrivately: try mark(&batch.entries[index], db)
      }
    }
  }

  private func append(
    _ entry: inout PublishBatch.Entry, _ bytes: [UInt8], _ insert: SQLiteStatement, _ db: Database
  ) throws {
    guard let conversation = try conversation(entry.conversation, db),
      conversation.members.contains(entry.sender)
    else {
      entry.outcome = .notFound
      return
    }
    guard entry.replyTo <= conversation.lastSeq else {
      entry.outcome = .noSuchReply
      return
    }
    entry.seq = conversation.lastSeq + 1
    entry.position = try positions.next(db)
    entry.timestamp = lastTimestamp
    guard try bytes.withUnsafeBytes({ try run(insert, entry, $0, db) }) else {
      return try findFirst(&entry, bytes, db)
    }
    try didAppend(entry.seq, to: entry.conversation, at: entry.position, db)
    entry.members = conversation.members
    entry.outcome = .stored
  }

  private func didAppend(_ seq: Int64, to id: Int64, at position: Int64, _ db: Database) throws {
    positions.use(position)
    conversations[id]?.lastSeq = seq
    guard let counted = conversations[id]?.countedSeq, seq - counted >= SentCounts.stride else { return }
    try SentCounts.count(id, from: counted, to: seq, db)
    conversations[id]?.countedSeq = seq
  }

  /// Never back: messages stand in the order of their times. A batch has one time.
  func time() -> Int64 { max(lastTimestamp, Timestamp.now().milliseconds) }

  /// Appends what the server itself says.
  func append(
    _ kind: SystemMessage.Kind, _ text: String, to id: Int64, from sender: Int64, _ db: Database
  ) throws -> SystemMessage? {
    guard let conversation = try conversation(id, db) else { return nil }
    lastTimestamp = time()
    let message = SystemMessage(
      kind: kind, conversation: id, seq: conversation.lastSeq + 1, position: try positions.next(db),
      sender: sender, timestamp: lastTimestamp, text: text, members: conversation.members)
    try db.cachedStatement(
      sql: """
        INSERT INTO messages (position, conversation_id, seq, sender_id, timestamp, kind, text)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      message.position, id, message.seq, sender, message.timestamp, kind.rawValue, text,
    ])
    try didAppend(message.seq, to: id, at: message.position, db)
    return message
  }

  // MARK: SQL

  private static let insertion = """
    INSERT INTO messages (position, conversation_id, seq, sender_id, timestamp, kind, text, key, reply_to)
    VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)
    ON CONFLICT (sender_id, key) DO NOTHING
    """

  /// False if the sender's key is there already.
  private func run(
    _ insert: SQLiteStatement, _ entry: PublishBatch.Entry, _ bytes: UnsafeRawBufferPointer, _ db: Database
  ) throws -> Bool {
    sqlite3_bind_int64(insert, 1, entry.position)
    sqlite3_bind_int64(insert, 2, entry.conversation)
    sqlite3_bind_int64(insert, 3, entry.seq)
    sqlite3_bind_int64(insert, 4, entry.sender)
    sqlite3_bind_int64(insert, 5, entry.timestamp)
    bind(insert, 6, bytes, entry.text)
    bind(insert, 7, bytes, entry.key)
    if entry.replyTo == 0 {
      sqlite3_bind_null(insert, 8)
    } else {
      sqlite3_bind_int64(insert, 8, entry.replyTo)
    }
    let result = sqlite3_step(insert)
    sqlite3_reset(insert)
    guard result == SQLITE_DONE else {
      throw DatabaseError(resultCode: ResultCode(rawValue: result), message: db.lastErrorMessage)
    }
    return sqlite3_changes(db.sqliteConnection) == 1
  }

  /// The bytes stay in place until the statement has run, so SQLite need not copy them (a nil destructor is SQLITE_STATIC).
  private func bind(
    _ insert: SQLiteStatement, _ index: Int32, _ bytes: UnsafeRawBufferPointer, _ range: ByteRange
  ) {
    let text = bytes.baseAddress.map { ($0 + Int(range.start)).assumingMemoryBound(to: CChar.self) }
    sqlite3_bind_text(insert, index, text, Int32(range.count), nil)
  }

  /// The message that has the sender's key. What it says now may be an edit: the digest of what it said first is kept.
  private func findFirst(_ entry: inout PublishBatch.Entry, _ bytes: [UInt8], _ db: Database) throws {
    let key = String(decoding: bytes[entry.key.range], as: UTF8.self)
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT conversation_id, seq, position, timestamp, text, reply_to, first_digest FROM messages
        WHERE sender_id = ? AND key = ?
        """,
      arguments: [entry.sender, key])
    guard let row else { throw DatabaseError(message: "a key is taken by no message") }
    let text = bytes[entry.text.range]
    let isSameText =
      (row["first_digest"] as String?).map { $0 == TextDigest.make(text) }
      ?? (row["text"] as String).utf8.elementsEqual(text)
    let isSame =
      row["conversation_id"] == entry.conversation && (row["reply_to"] ?? Int64(0)) == entry.replyTo
      && isSameText
    entry.seq = row["seq"]
    entry.position = row["position"]
    entry.timestamp = row["timestamp"]
    entry.outcome = isSame ? .duplicate : .conflict
  }

  func conversation(_ id: Int64, _ db: Database) throws -> Conversation? {
    if let known = conversations[id] { return known }
    guard let members = try ConversationStore.memberList(of: id, in: db) else { return nil }
    let lastSeq =
      try Int64.fetchOne(db, sql: "SELECT max(seq) FROM messages WHERE conversation_id = ?", arguments: [id])
      ?? 0
    let counted = try SentCounts.countedSeq(of: id, db)
    let found = Conversation(lastSeq: lastSeq, countedSeq: counted, members: members)
    conversations[id] = found
    return found
  }
}

/// SHA-256 of a text, in base64url.
enum TextDigest {
  static func make(_ text: some Collection<UInt8>) -> String {
    let bytes = Array(text)
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(bytes, bytes.count, &digest)
    return Base64URL.encode(digest)
  }
}
