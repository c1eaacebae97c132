import GRDB
import Reactor

/// `GET /search`, a task: the writer first takes into the index what has just been sent, then a reader looks.
struct SearchRoutes: Sendable {
  /// What one search waits to be taken in; under full load the index may be further behind.
  private static let mostAwaited = 5_000

  let services: Services

  @Sendable func find(_ request: Request) async -> Response {
    await Answer.later {
      let user = try request.caller().user
      let parameters = try Query(request.query)
      let query = try SearchQuery(parameters["q"])
      let limit = try parameters.limit()
      let conversation = try parameters["conversation_id"].map { text in
        guard let id = EntityID.conversation.parse(text) else { throw Problem.notFound }
        return id
      }
      let cursor = try Cursor.decode(parameters["cursor"]).map { text in
        guard let place = Place(text) else {
          throw Problem.validation("?cursor", "must be a cursor from an answer")
        }
        return place
      }
      let store = services.store
      if try await services.readers.run({ try store.read(Self.isBehind) }) {
        _ = try await services.writer.transact { try $0.search.advance(by: Self.mostAwaited, $0.db) }
      }
      let page = try await services.readers.run {
        try store.read { db in
          if let conversation {
            guard try ConversationStore.isMember(user, of: conversation, in: db) else {
              throw Problem.notFound
            }
          }
          let search = MessageSearch(query: query, user: user, conversation: conversation, db: db)
          return try Self.page(search, from: cursor, limit: limit)
        }
      }
      let link = Link.next(
        page.next, path: request.path, parameters: parameters.parameters(without: "cursor"))
      return Response(.ok, fields: link, body: page.json, contentType: "application/json")
    }
  }

  @Sendable private static func isBehind(_ db: Database) throws -> Bool {
    try Bool.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT coalesce((SELECT max(position) FROM messages), 0)
            > (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'indexed')
          """)) ?? false
  }

  /// How many of the best are behind, and the position that the search looks up to.
  private struct Place: Sendable {
    let offset: Int
    let position: Int64

    init(offset: Int, position: Int64) {
      self.offset = offset
      self.position = position
    }

    init?(_ text: String) {
      let parts = text.split(separator: ".")
      guard parts.count == 2, let offset = Int(parts[0]), let position = Int64(parts[1]),
        (0...MessageSearch.candidates).contains(offset)
      else { return nil }
      self.init(offset: offset, position: position)
    }
  }

  private static func page(
    _ search: MessageSearch, from cursor: Place?, limit: Int
  ) throws -> (json: [UInt8], next: String?) {
    let start = try cursor ?? Place(offset: 0, position: Positions.last(in: search.db))
    let found = try search.run(upTo: start.position).dropFirst(start.offset)
    let next =
      found.count > limit
      ? Cursor.encode("\(start.offset + limit).\(start.position)") : nil
    var json = JSONWriter()
    var time = TimestampCache()
    json.raw("{\"items\":[")
    for (index, match) in found.prefix(limit).enumerated() {
      let row = try RawStatement(MessageReader.columns + " WHERE position = ?1", search.db)
      row.bind(match.position)
      defer { row.reset() }
      guard try row.step() else { continue }
      if index > 0 { json.raw(",") }
      json.raw("{")
      let message = StoredMessage(row.pointer)
      json.messageFields(message, includingKey: message.sender == search.user, &time)
      json.raw(",\"snippet\":")
      json.string(match.text.snippet)
      json.raw("}")
    }
    json.raw("],\"next_cursor\":")
    if let next { json.string(next) } else { json.raw("null") }
    json.raw("}")
    return (json.bytes, next)
  }
}
