import GRDB
import GRDBSQLite

/// Conversations as one of their members sees them, as JSON, on a reader's thread. Written by hand, because a page of 500
/// through Codable costs more than all its queries.
struct ConversationReader {
  let user: Int64
  let db: Database
  private var json = JSONWriter()
  private var time = TimestampCache()
  private let conversation: RawStatement
  private let members: RawStatement
  private let lastMessage: RawStatement

  private init(for user: Int64, _ db: Database) throws {
    self.user = user
    self.db = db
    conversation = try RawStatement(
      """
      SELECT c.kind, c.title, m.received_seq, m.read_seq, \(SentCounts.unread)
      FROM members m JOIN conversations c ON c.id = m.conversation_id
      WHERE m.conversation_id = ?1 AND m.user_id = ?2
      """, db)
    members = try RawStatement(
      """
      SELECT u.id, u.username, u.display_name, u.deleted_at, m.received_seq, m.public_read_seq
      FROM members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id = ?1 ORDER BY u.id
      """, db)
    lastMessage = try RawStatement(
      MessageReader.columns + " WHERE conversation_id = ?1 ORDER BY seq DESC LIMIT 1", db)
  }

  /// One conversation; nil for who is no member.
  static func json(_ id: Int64, for user: Int64, _ db: Database) throws -> [UInt8]? {
    var reader = try ConversationReader(for: user, db)
    return try reader.write(id) ? reader.json.bytes : nil
  }

  // MARK: A page of the list

  /// The place in the list after which a page begins: the newest activity first, by position, then by id.
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

  struct Page: Sendable {
    /// The objects with commas between them.
    let items: [UInt8]
    /// Where the next page begins; nil at the end.
    let next: Place?
    /// The store's position at the moment of this page.
    let position: Int64
  }

  static func page(for user: Int64, after place: Place?, limit: Int, _ db: Database) throws -> Page {
    var reader = try ConversationReader(for: user, db)
    let start = place ?? Place(position: .max, id: .max)
    let places = try reader.places(after: start, limit: limit + 1)
    for place in places.prefix(limit) {
      let before = reader.json.bytes.count
      if before > 0 { reader.json.raw(",") }
      if try !reader.write(place.id) { reader.json.bytes.removeLast(reader.json.bytes.count - before) }
    }
    return Page(
      items: reader.json.bytes, next: places.count > limit ? places[limit - 1] : nil,
      position: try Positions.last(in: db))
  }

  /// Activity is a message, or becoming a member. Both stand in indices: ten thousand conversations are put in order
  /// without a look at any row of a table. (The `LIMIT` keeps SQLite from looking for each activity twice.)
  private func places(after start: Place, limit: Int) throws -> [Place] {
    let find = try RawStatement(
      """
      SELECT activity, id FROM (
        SELECT m.conversation_id AS id, max(m.joined_position, coalesce(
          (SELECT position FROM messages WHERE conversation_id = m.conversation_id ORDER BY seq DESC LIMIT 1), 0)
        ) AS activity
        FROM members m WHERE m.user_id = ?1 LIMIT -1 OFFSET 0)
      WHERE (activity, id) < (?2, ?3) ORDER BY activity DESC, id DESC LIMIT ?4
      """, db)
    find.bind(user, start.position, start.id, Int64(limit))
    var places: [Place] = []
    try find.eachRow { row in
      places.append(Place(position: row.integer(0), id: row.integer(1)))
      return true
    }
    return places
  }

  // MARK: One object

  /// False, and nothing written, if the user is no member.
  private mutating func write(_ id: Int64) throws -> Bool {
    conversation.bind(id, user)
    defer { conversation.reset() }
    guard try conversation.step() else { return false }
    json.raw("{\"id\":")
    json.id(.conversation, id)
    json.raw(",\"kind\":")
    json.string(conversation.text(0))
    json.raw(",\"title\":")
    if conversation.isNull(1) { json.raw("null") } else { json.string(conversation.text(1)) }
    try writeMembers(of: id)
    let last = try writeLastMessage(of: id)
    json.raw(",\"last_seq\":")
    json.integer(last)
    json.raw(",\"received_seq\":")
    json.integer(conversation.integer(2))
    json.raw(",\"read_seq\":")
    json.integer(conversation.integer(3))
    json.raw(",\"unread\":")
    json.integer(conversation.integer(4))
    json.raw("}")
    return true
  }

  private mutating func writeMembers(of id: Int64) throws {
    members.bind(id)
    json.raw(",\"members\":[")
    var isFirst = true
    while try members.step() {
      json.raw(isFirst ? "{\"id\":" : ",{\"id\":")
      isFirst = false
      json.id(.user, members.integer(0))
      json.raw(",\"username\":")
      json.string(members.text(1))
      json.raw(",\"display_name\":")
      json.string(members.text(2))
      if !members.isNull(3) { json.raw(",\"deleted\":true") }
      json.raw(",\"received_seq\":")
      json.integer(members.integer(4))
      json.raw(",\"read_seq\":")
      json.integer(members.integer(5))
      json.raw("}")
    }
    members.reset()
    json.raw("]")
  }

  /// Returns its `seq`; 0 if there is none.
  private mutating func writeLastMessage(of id: Int64) throws -> Int64 {
    lastMessage.bind(id)
    defer { lastMessage.reset() }
    json.raw(",\"last_message\":")
    guard try lastMessage.step() else {
      json.raw("null")
      return 0
    }
    let message = StoredMessage(lastMessage.pointer)
    json.raw("{")
    json.messageFields(message, includingKey: message.sender == user, &time)
    json.raw("}")
    return message.seq
  }
}
