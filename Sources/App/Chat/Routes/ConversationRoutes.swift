import GRDB
import Reactor

/// `/conversations`, `/conversations/{id}` and `/support`.
struct ConversationRoutes: Sendable {
  let services: Services

  /// `GET /conversations`, on a reader: one snapshot of the store, whose `position` a socket can go on from.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let user = try request.caller().user
      let query = try Query(request.query)
      let limit = try query.limit()
      let after = try Cursor.decode(query["cursor"]).map { text in
        guard let place = ConversationReader.Place(text) else {
          throw Problem.validation("?cursor", "must be a cursor from an answer")
        }
        return place
      }
      let page = try services.store.read {
        try ConversationReader.page(for: user, after: after, limit: limit, $0)
      }
      let next = page.next?.cursor
      let link = Link.next(next, path: request.path, parameters: [("limit", "\(limit)")])
      return Response(.ok, fields: link, body: body(page, next), contentType: "application/json")
    }
  }

  private func body(_ page: ConversationReader.Page, _ next: String?) -> [UInt8] {
    var json = JSONWriter()
    json.raw("{\"items\":[")
    json.raw(page.items)
    json.raw("],\"next_cursor\":")
    if let next { json.string(next) } else { json.raw("null") }
    json.raw(",\"epoch\":")
    json.string(services.store.epoch)
    json.raw(",\"position\":")
    json.integer(page.position)
    json.raw("}")
    return json.bytes
  }

  /// `GET /conversations/{id}`, on a reader.
  @Sendable func get(_ request: Request) -> Response {
    Answer.from {
      let user = try request.caller().user
      let id = try request.conversation()
      guard let json = try services.store.read({ try ConversationReader.json(id, for: user, $0) }) else {
        throw Problem.notFound
      }
      return ETag.response(json, to: request)
    }
  }

  /// `POST /conversations`, a task: 201, or 200 with the direct conversation that the pair has already.
  @Sendable func create(_ request: Request) async -> Response {
    await Answer.later {
      let user = try request.caller().user
      let body = try request.json(NewConversation.Body.self)
      let new = try NewConversation(body, madeBy: user)
      let key = try request.idempotencyKey(of: user)
      return try await services.writer.transact { transaction in
        try IdempotencyKey.once(key, in: transaction.db) {
          let made = try ConversationChanges(transaction, by: user).make(new, askedFor: body.memberIDs ?? [])
          return try Self.answer(made, user, transaction.db)
        }
      }.response
    }
  }

  private static func answer(
    _ made: ConversationStore.Made, _ user: Int64, _ db: Database
  ) throws -> StoredAnswer {
    guard let json = try ConversationReader.json(made.id, for: user, db) else { throw Problem.internal }
    let location = "\(API.base)/conversations/\(EntityID.conversation.text(made.id))"
    return StoredAnswer(made.isNew ? .created : .ok, location: location, body: json)
  }

  /// `POST /support`, a task: the caller's conversation with the administrators; 201 when it is made.
  @Sendable func support(_ request: Request) async -> Response {
    await Answer.later {
      let user = try request.caller().user
      return try await services.writer.transact { transaction in
        try Self.answer(
          ConversationChanges(transaction, by: user).openSupport(for: user), user, transaction.db)
      }.response
    }
  }
}

extension Request {
  /// The conversation that the path names; an id that cannot be is one that is not there.
  func conversation() throws(Problem) -> Int64 {
    guard let id = parameters.first.flatMap(EntityID.conversation.parse) else { throw .notFound }
    return id
  }
}
