import GRDB
import Reactor

/// What changes a group: `PATCH /conversations/{id}` and `/conversations/{id}/members`. Tasks, on the writer.
struct ConversationChangeRoutes: Sendable {
  let services: Services

  private struct TitlePatch: Decodable {
    let title: FieldChange<String>

    private enum CodingKeys: String, CodingKey { case title }

    init(from decoder: any Decoder) throws {
      title = try decoder.container(keyedBy: CodingKeys.self).change(String.self, forKey: .title)
    }
  }

  /// `PATCH /conversations/{id}`: the title, by any member.
  @Sendable func update(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let id = try request.conversation()
      let patch = try request.json(TitlePatch.self)
      let title = try NewConversation.checkedTitle(patch.title)
      return try await changed(caller, id) { changes, conversation in
        try request.requireMatch(json: Self.json(id, caller, changes))
        switch title {
        case .keep: break
        case .remove: try changes.setTitle(nil, of: conversation)
        case .set(let title): try changes.setTitle(title, of: conversation)
        }
      }
    }
  }

  private struct NewMembers: Decodable {
    let userID: String?
    let memberIDs: [String]?

    private enum CodingKeys: String, CodingKey {
      case userID = "user_id"
      case memberIDs = "member_ids"
    }
  }

  /// `POST /conversations/{id}/members` with `user_id` or `member_ids`, by any member.
  @Sendable func addMembers(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let id = try request.conversation()
      let body = try request.json(NewMembers.self)
      let named = try Self.members(body)
      return try await changed(caller, id, once: request.idempotencyKey(of: caller.user)) { changes, _ in
        for (pointer, user) in named
        where try user == User.system || ConversationStore.person(user, in: changes.transaction.db) == nil {
          throw Problem.validation(pointer, NewConversation.unknownMember)
        }
        try changes.add(named.map(\.1), to: id)
      }
    }
  }

  private static func members(_ body: NewMembers) throws(Problem) -> [(pointer: String, Int64)] {
    let named =
      (body.memberIDs ?? []).enumerated().map { ("/member_ids/\($0)", $1) }
      + (body.userID.map { [("/user_id", $0)] } ?? [])
    guard !named.isEmpty else { throw .validation("/user_id", "is missing") }
    guard named.count < NewConversation.maximumMembers else {
      throw .validation("/member_ids", "must name fewer than \(NewConversation.maximumMembers) users")
    }
    var users: [(pointer: String, Int64)] = []
    for (pointer, text) in named {
      guard let user = EntityID.user.parse(text) else {
        throw .validation(pointer, NewConversation.unknownMember)
      }
      users.append((pointer, user))
    }
    return users
  }

  /// `DELETE /conversations/{id}/members/{user_id}`: oneself; others by the founder, or by an administrator who is a member.
  @Sendable func removeMember(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let id = try request.conversation()
      guard let user = request.parameters.last.flatMap(EntityID.user.parse) else { throw Problem.notFound }
      try await services.writer.transact { transaction in
        let (changes, conversation) = try Self.begin(caller, id, transaction)
        guard try ConversationStore.isMember(user, of: id, in: transaction.db) else { throw Problem.notFound }
        guard user == caller.user || conversation.founder == caller.user || caller.role == .admin else {
          throw Problem(.forbidden, detail: "Only the founder of a group or an administrator removes others.")
        }
        try changes.remove(user, from: id)
      }
      return Response(.noContent)
    }
  }

  // MARK: What they have in common

  private func changed(
    _ caller: Caller, _ id: Int64, once key: IdempotencyKey? = nil,
    _ change: @escaping @Sendable (ConversationChanges, Conversation) throws -> Void
  ) async throws -> Response {
    let answer = try await services.writer.transact { transaction in
      let (changes, conversation) = try Self.begin(caller, id, transaction)
      return try IdempotencyKey.once(key, in: transaction.db) {
        try change(changes, conversation)
        return StoredAnswer(.ok, body: try Self.json(id, caller, changes))
      }
    }
    var response = answer.response
    response.fields.append(.init("etag", ETag.make(answer.body)))
    return response
  }

  private static func begin(
    _ caller: Caller, _ id: Int64, _ transaction: Transaction
  ) throws -> (ConversationChanges, Conversation) {
    let db = transaction.db
    try Accounts.confirm(caller, in: db)
    guard try ConversationStore.isMember(caller.user, of: id, in: db),
      let conversation = try ConversationStore.find(id, in: db)
    else { throw Problem.notFound }
    guard conversation.kind == .group else {
      throw Problem(.forbidden, detail: "Only a group has a title, and members who come and go.")
    }
    return (ConversationChanges(transaction, by: caller.user), conversation)
  }

  private static func json(_ id: Int64, _ caller: Caller, _ changes: ConversationChanges) throws -> [UInt8] {
    guard let json = try ConversationReader.json(id, for: caller.user, changes.transaction.db) else {
      throw Problem.notFound
    }
    return json
  }
}
