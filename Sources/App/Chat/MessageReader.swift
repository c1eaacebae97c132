import GRDB
import GRDBSQLite
import Reactor

/// Reads pages of a conversation, on a reader's thread. The caller's membership is checked in the same snapshot.
enum MessageReader {
  /// A page's JSON, `"messages":[…],"more":…` with the name given, in ascending `seq`.
  /// - Throws: `Problem.notFound` if the user is no member.
  static func page(
    _ db: Database, of conversation: Int64, for user: Int64, _ page: MessagePage, named name: StaticString
  ) throws -> [UInt8] {
    guard try isMember(db, conversation, user) else { throw Problem.notFound }
    var json = JSONWriter()
    json.raw("\"")
    json.raw(name)
    json.raw("\":[")
    let more = try write(db, conversation, user, page, into: &json)
    json.raw("],\"more\":")
    json.bool(more)
    return json.bytes
  }

  static func isMember(_ db: Database, _ conversation: Int64, _ user: Int64) throws -> Bool {
    try db.cachedStatement(sql: "SELECT 1 FROM members WHERE conversation_id = ? AND user_id = ?")
      .fetchesRow([conversation, user])
  }

  /// Writes the page's messages; true if there are more beyond it.
  private static func write(
    _ db: Database, _ conversation: Int64, _ user: Int64, _ page: MessagePage,
    into json: inout JSONWriter
  ) throws -> Bool {
    let (first, count, more) = try extent(db, conversation, page)
    let statement = try db.cachedStatement(sql: Self.selection)
    let raw = statement.sqliteStatement
    defer { sqlite3_reset(raw) }
    sqlite3_bind_int64(raw, 1, conversation)
    sqlite3_bind_int64(raw, 2, first)
    sqlite3_bind_int64(raw, 3, count)
    var time = TimestampCache()
    var isFirst = true
    while true {
      let result = sqlite3_step(raw)
      if result == SQLITE_DONE { return more }
      guard result == SQLITE_ROW else {
        throw DatabaseError(resultCode: ResultCode(rawValue: result), message: db.lastErrorMessage)
      }
      if !isFirst { json.raw(",") }
      isFirst = false
      let message = StoredMessage(raw, conversation)
      json.raw("{")
      json.messageFields(message, includingKey: message.sender == user, &time)
      json.raw("}")
    }
  }

  /// `seq` has no gaps, so a page is a range of it: nothing is counted, nothing skipped.
  private static func extent(
    _ db: Database, _ conversation: Int64, _ page: MessagePage
  ) throws -> (first: Int64, count: Int64, more: Bool) {
    let last =
      try Int64.fetchOne(
        db.cachedStatement(sql: "SELECT max(seq) FROM messages WHERE conversation_id = ?"),
        arguments: [conversation]) ?? 0
    switch page.bound {
    case .after(let seq):
      let first = max(0, min(seq, last)) + 1
      return (first, page.limit, last - first + 1 > page.limit)
    case .before(let seq): return pageEnding(before: max(1, min(seq, last + 1)), page.limit)
    case .newest: return pageEnding(before: last + 1, page.limit)
    }
  }

  private static func pageEnding(before end: Int64, _ limit: Int64) -> (
    first: Int64, count: Int64, more: Bool
  ) {
    let first = max(1, end - limit)
    return (first, end - first, first > 1)
  }

  private static let selection = """
    SELECT seq, position, sender_id, timestamp, text, key, reply_to, edited_at, deleted_at FROM messages
    WHERE conversation_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3
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
      sender: sqlite3_column_int64(row, 2), timestamp: sqlite3_column_int64(row, 3), kind: "text",
      text: bytes(4), key: bytes(5), replyTo: optional(6) ?? 0, editedAt: optional(7), deletedAt: optional(8))
  }
}

extension Statement {
  fileprivate func fetchesRow(_ arguments: StatementArguments) throws -> Bool {
    try Row.fetchOne(self, arguments: arguments) != nil
  }
}
