import GRDB
import Reactor

/// `/conversations` and `/conversations/{id}`.
struct ConversationRoutes: Sendable {
  let services: Services

  private struct List: Encodable {
    let items: [Conversation]
    let nextCursor: String?
    let epoch: String
    let position: Int64

    private enum CodingKeys: String, CodingKey {
      case items, epoch, position
      case nextCursor = "next_cursor"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(items, forKey: .items)
      try container.encode(nextCursor, forKey: .nextCursor)
      try container.encode(epoch, forKey: .epoch)
      try container.encode(position, forKey: .position)
    }
  }

  /// `GET /conversations`, on a reader: one snapshot of the store, whose `position` a socket can go on from.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let user = try request.caller().user
      let query = try Query(request.query)
      let limit = try query.limit()
      let after = try Cursor.decode(query["cursor"]).map { text in
        guard let place = ConversationStore.Place(text) else {
          throw Problem.validation("?cursor", "must be a cursor from an answer")
        }
        return place
      }
      let found = try services.store.read {
        try ConversationStore.page(for: user, after: after, limit: limit, in: $0)
      }
      let list = List(
        items: found.conversations, nextCursor: found.next?.cursor, epoch: services.store.epoch,
        position: found.position)
      let link = Link.next(list.nextCursor, path: request.path, parameters: [("limit", "\(limit)")])
      return try Answer.json(list, fields: link)
    }
  }

  /// `GET /conversations/{id}`, on a reader.
  @Sendable func get(_ request: Request) -> Response {
    Answer.from {
      let user = try request.caller().user
      let id = try request.conversation()
      let found = try services.store.read { try ConversationStore.find(id, for: user, in: $0) }
      guard let found else { throw Problem.notFound }
      return try ETag.response(found, to: request)
    }
  }

  /// `POST /conversations`, a task: 201, or 200 with the direct conversation that the pair has already.
  @Sendable func create(_ request: Request) async -> Response {
    await Answer.later {
      let user = try request.caller().user
      let body = try request.json(NewConversation.Body.self)
      let new = try NewConversation(body, madeBy: user)
      let key = try request.idempotencyKey(of: user)
      return try await services.writer.write { db in
        try IdempotencyKey.once(key, in: db) {
          let made = try ConversationStore.insert(new, askedFor: body.memberIDs ?? [], in: db)
          return try Self.answer(made, user, db)
        }
      }.response
    }
  }

  private static func answer(
    _ made: ConversationStore.Made, _ user: Int64, _ db: Database
  ) throws -> StoredAnswer {
    guard let conversation = try ConversationStore.find(made.id, for: user, in: db) else {
      throw Problem.internal
    }
    let location = "\(API.base)/conversations/\(conversation.id)"
    return StoredAnswer(made.isNew ? .created : .ok, location: location, body: try JSON.encode(conversation))
  }

  /// `POST /support`, a task: the caller's conversation with the administrators; 201 when it is made.
  @Sendable func support(_ request: Request) async -> Response {
    await Answer.later {
      let user = try request.caller().user
      return try await services.writer.write { db in
        try Self.answer(try SupportConversations.open(for: user, in: db), user, db)
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
