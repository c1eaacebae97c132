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
    guard try isMember(db, conversation, user) else { throw Problem.notFound }
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

  static func isMember(_ db: Database, _ conversation: Int64, _ user: Int64) throws -> Bool {
    try db.cachedStatement(sql: "SELECT 1 FROM members WHERE conversation_id = ? AND user_id = ?")
      .fetchesRow([conversation, user])
  }

  /// The messages from the page's near end on, each as its JSON.
  private static func messages(
    _ db: Database, _ conversation: Int64, _ user: Int64, _ extent: Extent, maximumBytes: Int
  ) throws -> [[UInt8]] {
    let order = extent.isAscending ? "ASC" : "DESC"
    let statement = try db.cachedStatement(sql: selection + order).sqliteStatement
    defer { sqlite3_reset(statement) }
    sqlite3_bind_int64(statement, 1, conversation)
    sqlite3_bind_int64(statement, 2, extent.first)
    sqlite3_bind_int64(statement, 3, extent.first + Int64(extent.count))
    var time = TimestampCache()
    var found: [[UInt8]] = []
    var bytes = 0
    while bytes < maximumBytes, try step(statement, db) {
      let message = StoredMessage(statement, conversation)
      var json = JSONWriter()
      json.raw("{")
      json.messageFields(message, includingKey: message.sender == user, &time)
      json.raw("}")
      bytes += json.bytes.count
      found.append(json.bytes)
    }
    return found
  }

  /// False after the last row.
  private static func step(_ statement: SQLiteStatement, _ db: Database) throws -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let result:
      throw DatabaseError(resultCode: ResultCode(rawValue: result), message: db.lastErrorMessage)
    }
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

  private static let selection = """
    SELECT seq, position, sender_id, timestamp, text, key, reply_to, edited_at, deleted_at, kind
    FROM messages
    WHERE conversation_id = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq\u{20}
    """
}

extension StoredMessage {
  /// The row that a statement stands on; its text is valid until the next step.
  fileprivate init(_ row: SQLiteStatement, _ conversation: Int64) {
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
      // The pointer first: sqlite3_column_bytes may convert, and speaks of what sqlite3_column_text gave.
      let start = sqlite3_column_text(row, column)
      return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(row, column)))
    }
    func optional(_ column: Int32) -> Int64? {
      sqlite3_column_type(row, column) == SQLITE_NULL ? nil : sqlite3_column_int64(row, column)
    }
    self.init(
      conversation: conversation, seq: sqlite3_column_int64(row, 0), position: sqlite3_column_int64(row, 1),
      sender: sqlite3_column_int64(row, 2), timestamp: sqlite3_column_int64(row, 3),
      kind: MessageKind.name(sqlite3_column_int64(row, 9)),
      text: bytes(4), key: bytes(5), replyTo: optional(6) ?? 0, editedAt: optional(7), deletedAt: optional(8))
  }
}

extension Statement {
  fileprivate func fetchesRow(_ arguments: StatementArguments) throws -> Bool {
    try Row.fetchOne(self, arguments: arguments) != nil
  }
}
