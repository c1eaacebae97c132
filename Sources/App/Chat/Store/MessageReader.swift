import GRDB
import GRDBSQLite
import Reactor

/// Reads pages of a conversation, on a reader's thread. The caller's membership is checked in the same snapshot.
enum MessageReader {
  /// A page's JSON, `"messages":[…],"more":…` with the name given, in ascending `seq`.
  /// - Parameter maximumBytes: the page ends early where its messages are longer than that together, at least one.
  /// - Throws: `Problem.notFound` if the user is no member.
  static func page(
    _ db: Database, of conversation: Int64, for user: Int64, _ page: MessagePage, named name: StaticString,
    maximumBytes: Int = .max
  ) throws -> [UInt8] {
    guard try ConversationStore.isMember(user, of: conversation, in: db) else { throw Problem.notFound }
    let extent = try extent(db, conversation, page)
    let found = try messages(db, conversation, user, extent, maximumBytes: maximumBytes)
    var json = JSONWriter()
    json.raw("\"")
    json.raw(name)
    json.raw("\":[")
    for (index, message) in (extent.isAscending ? found : found.reversed()).enumerated() {
      if index > 0 { json.raw(",") }
      json.raw(message)
    }
    json.raw("],\"more\":")
    json.bool(extent.more || found.count < extent.count)
    return json.bytes
  }

  /// The messages from the page's near end on, each as its JSON.
  private static func messages(
    _ db: Database, _ conversation: Int64, _ user: Int64, _ extent: Extent, maximumBytes: Int
  ) throws -> [[UInt8]] {
    let order = extent.isAscending ? "ASC" : "DESC"
    let rows = try RawStatement(
      columns + " WHERE conversation_id = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq " + order, db)
    rows.bind(conversation, extent.first, extent.first + Int64(extent.count))
    var time = TimestampCache()
    var found: [[UInt8]] = []
    var bytes = 0
    try rows.eachRow { row in
      let message = StoredMessage(row.pointer)
      var json = JSONWriter()
      json.raw("{")
      json.messageFields(message, includingKey: message.sender == user, &time)
      json.raw("}")
      bytes += json.bytes.count
      found.append(json.bytes)
      return bytes < maximumBytes
    }
    return found
  }

  /// `seq` has no gaps, so a page is a range of it: nothing is counted, nothing skipped.
  private struct Extent {
    let first: Int64
    let count: Int
    let isAscending: Bool
    let more: Bool
  }

  private static func extent(_ db: Database, _ conversation: Int64, _ page: MessagePage) throws -> Extent {
    let last =
      try Int64.fetchOne(
        db.cachedStatement(sql: "SELECT max(seq) FROM messages WHERE conversation_id = ?"),
        arguments: [conversation]) ?? 0
    let end: Int64
    switch page.bound {
    case .after(let seq):
      let first = min(seq, last) + 1
      let count = min(page.limit, last - first + 1)
      return Extent(first: first, count: Int(count), isAscending: true, more: first + count <= last)
    case .before(let seq): end = min(seq, last + 1)
    case .newest: end = last + 1
    }
    let first = max(1, end - page.limit)
    return Extent(first: first, count: Int(end - first), isAscending: false, more: first > 1)
  }

  /// What `StoredMessage` is read from, in its order.
  static let columns = """
    SELECT conversation_id, seq, position, sender_id, timestamp, text, key, reply_to, edited_at, deleted_at, kind,
      changed_position
    FROM messages
    """
}

extension StoredMessage {
  /// The row of `MessageReader.columns` that a statement stands on; its text is valid until the next step. Its position is
  /// that of the last event that changed it.
  init(_ row: SQLiteStatement) {
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
      // The pointer first: sqlite3_column_bytes may convert, and speaks of what sqlite3_column_text gave.
      let start = sqlite3_column_text(row, column)
      return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(row, column)))
    }
    func optional(_ column: Int32) -> Int64? {
      sqlite3_column_type(row, column) == SQLITE_NULL ? nil : sqlite3_column_int64(row, column)
    }
    self.init(
      conversation: sqlite3_column_int64(row, 0), seq: sqlite3_column_int64(row, 1),
      position: optional(11) ?? sqlite3_column_int64(row, 2), sender: sqlite3_column_int64(row, 3),
      timestamp: sqlite3_column_int64(row, 4), kind: MessageKind.name(sqlite3_column_int64(row, 10)),
      text: bytes(5), key: bytes(6), replyTo: optional(7) ?? 0, editedAt: optional(8), deletedAt: optional(9))
  }
}
