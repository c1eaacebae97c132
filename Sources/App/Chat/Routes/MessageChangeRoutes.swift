import GRDB
import Reactor

/// `PATCH` and `DELETE /conversations/{id}/messages/{seq}`, and `PUT /conversations/{id}/read`. Tasks, on the writer: the
/// same rules as over a socket, and the same events.
struct MessageChangeRoutes: Sendable {
  let services: Services

  private struct Text: Decodable { let text: String }

  /// `PATCH …/messages/{seq}`: 200 with the message as it is now.
  @Sendable func edit(_ request: Request) async -> Response {
    await Answer.later {
      let body = try request.json(Text.self)
      let text = try MessageText.trimmed(body.text)
      let message = try await change(.edit, request, text: text)
      var encoder = ChatEncoder()
      return Response(.ok, body: encoder.object(message), contentType: "application/json")
    }
  }

  /// `DELETE …/messages/{seq}`: 204, also for what is deleted already.
  @Sendable func delete(_ request: Request) async -> Response {
    await Answer.later {
      _ = try await change(.delete, request, text: [])
      return Response(.noContent)
    }
  }

  private func change(
    _ operation: PublishBatch.Operation, _ request: Request, text: [UInt8]
  ) async throws -> ChangedMessage {
    let caller = try request.caller()
    let conversation = try request.conversation()
    guard let seq = request.parameters.last.flatMap({ Int64($0) }), seq > 0 else { throw Problem.notFound }
    let effect = try await services.writer.transact { transaction in
      try Accounts.confirm(caller, in: transaction.db)
      return try transaction.apply(operation, seq: seq, text: text, in: conversation, by: caller.user).effect
    }
    guard case .message(let message) = effect else { throw Problem.internal }
    return message
  }

  private struct Mark: Decodable {
    let seq: Int64
    let isPrivate: Bool

    private enum CodingKeys: String, CodingKey {
      case seq
      case isPrivate = "private"
    }

    init(from decoder: any Decoder) throws {
      var fields = try FieldReader(decoder, keyedBy: CodingKeys.self)
      let seq = fields.require(.seq, "must be the seq of a message") { (number: Double) in
        Int64(exactly: number)
      }
      let isPrivate = fields.change(.isPrivate, "must be true or false") { (bool: Bool) in bool }
      guard let seq, fields.errors.isEmpty else { throw Problem.validation(fields.errors) }
      self.seq = seq
      self.isPrivate = isPrivate.applied(to: nil) ?? false
    }
  }

  private struct Marks: Encodable {
    let conversation: String
    let receivedSeq: Int64
    let readSeq: Int64
    let unread: Int64

    private enum CodingKeys: String, CodingKey {
      case conversation, unread
      case receivedSeq = "received_seq"
      case readSeq = "read_seq"
    }
  }

  /// `PUT …/read`: 200 with the caller's marks, which only grow.
  @Sendable func read(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let conversation = try request.conversation()
      let mark = try request.json(Mark.self)
      let marks = try await services.writer.transact { transaction in
        try Accounts.confirm(caller, in: transaction.db)
        _ = try transaction.apply(
          mark.isPrivate ? .readPrivately : .read, seq: mark.seq, text: [], in: conversation,
          by: caller.user)
        return try Self.marks(of: caller.user, in: conversation, transaction.db)
      }
      return try Answer.json(marks)
    }
  }

  private static func marks(of user: Int64, in conversation: Int64, _ db: Database) throws -> Marks {
    let statement = try db.cachedStatement(
      sql: """
        SELECT m.received_seq, m.read_seq, \(SentCounts.unread) AS unread
        FROM members m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.conversation_id = ? AND m.user_id = ?
        """)
    guard let row = try Row.fetchOne(statement, arguments: [conversation, user]) else {
      throw Problem.notFound
    }
    return Marks(
      conversation: EntityID.conversation.text(conversation), receivedSeq: row["received_seq"],
      readSeq: row["read_seq"], unread: row["unread"])
  }
}

extension Transaction {
  /// Does to a message what a socket's request would do, and announces it.
  /// - Throws: the problem that a socket would be told.
  fileprivate func apply(
    _ operation: PublishBatch.Operation, seq: Int64, text: [UInt8], in conversation: Int64, by user: Int64
  ) throws -> PublishBatch.Entry {
    let batch = PublishBatch()
    let range = text.withUnsafeBytes { batch.append($0) }
    batch.entries.append(
      PublishBatch.Entry(
        operation, seq: seq, text: range, origin: .nobody, sender: user, conversation: conversation))
    try messages.append(batch, db)
    let entry = batch.entries[0]
    if let problem = entry.outcome.problem { throw problem }
    if entry.outcome == .stored, let effect = entry.effect, let members = entry.members {
      announce(.changed(effect, members))
    }
    return entry
  }
}
