import Reactor

/// `/conversations/{id}/messages`.
final class MessageRoutes {
  private static let fields: Set = ["key", "text", "reply_to"]
  private let hub: Hub

  init(hub: Hub) { self.hub = hub }

  /// `GET …?before_seq|after_seq&limit`, on a reader.
  static func list(_ store: Store) -> @Sendable (Request) -> Response {
    { request in
      Answer.from {
        let user = try request.caller().user
        let conversation = try request.conversation()
        let query = try Query(request.query)
        let page = try MessagePage(
          before: try query.integer("before_seq"), after: try query.integer("after_seq"),
          limit: try query.integer("limit"))
        let body = try store.read {
          try MessageReader.page($0, of: conversation, for: user, page, named: "items")
        }
        return Response(
          .ok, body: [UInt8(ascii: "{")] + body + [UInt8(ascii: "}")], contentType: "application/json")
      }
    }
  }

  /// `POST`, on the loop: it goes the way of a message that came over a socket, and is answered after its commit.
  func create(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    do throws(Problem) {
      guard let caller = request.context as? Caller else { throw Problem(.unauthorized) }
      guard MediaType.isJSON(request.value(of: "content-type")) else { throw .notJSON }
      try MediaType.requireNoCoding(request.value(of: "content-encoding"))
      guard let id = request.parameters.first.flatMap(EntityID.conversation.parse) else { throw .notFound }
      let header = request.bytes(of: "idempotency-key")
      if let header { try IdempotencyKey.check(header) }
      let origin = PublishBatch.Origin.rest(
        responder, taken: request.prefersServerTiming ? hub.server.loop.nanoseconds() : 0)
      return try publish(request.body, key: header, to: id, by: caller.user, origin)?.response
    } catch {
      return error.response
    }
  }

  /// - Parameter key: that of a client which names it in `Idempotency-Key`: a body without one has this.
  private func publish(
    _ body: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer?, to conversation: Int64, by user: Int64,
    _ origin: PublishBatch.Origin
  ) throws(Problem) -> Problem? {
    guard String(validating: body, as: UTF8.self) != nil else {
      throw Problem(.malformed, detail: "The body is not UTF-8.")
    }
    var message: ChatRequest
    do throws(JSONReader.Failure) {
      message = try ChatRequest(body)
    } catch {
      throw Problem(.malformed, detail: "The body is not one JSON object.")
    }
    // The other fields of a socket's requests are none of this one's.
    if let field = message.wrongField.map({ "\($0)" }), Self.fields.contains(field) {
      throw .validation("/\(field)", "has the wrong type")
    }
    if message.key == nil { message.key = key.map { ChatRequest.Text(content: $0, hasEscapes: false) } }
    return try message.withMessage(to: conversation) { key, text, replyTo in
      hub.publish(sender: user) { batch in
        PublishBatch.Entry(
          origin: origin, sender: user, conversation: conversation, key: batch.append(key),
          text: batch.append(text), replyTo: replyTo)
      }
    }
  }
}
