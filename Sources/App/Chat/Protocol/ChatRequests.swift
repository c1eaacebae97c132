import GRDB
import Reactor

/// What each request of a socket does, and how it is answered.
extension ChatSocket {
  func answer(_ bytes: UnsafeRawBufferPointer, isText: Bool, to socket: WebSocketID) {
    // Text has been checked by the reactor; the same JSON in a binary message has not.
    guard isText || String(validating: bytes, as: UTF8.self) != nil else {
      return refuse(socket, nil, Problem(.malformed, detail: "The message is not UTF-8."))
    }
    do throws(JSONReader.Failure) {
      handle(try ChatRequest(bytes), socket)
    } catch {
      refuse(socket, nil, Problem(.malformed, detail: "The message is not one JSON object."))
    }
  }

  private func handle(_ request: ChatRequest, _ socket: WebSocketID) {
    guard let session = hub.sessions[socket] else { return }
    guard let id = request.id, id.content.count <= ChatRequest.maximumIDBytes else {
      let problem = Problem.validation(
        "/id", "must be a string of at most \(ChatRequest.maximumIDBytes) bytes")
      return refuse(socket, nil, problem)
    }
    if let field = request.wrongField {
      return refuse(socket, id, .validation("/\(field)", "has the wrong type"))
    }
    guard let kind = request.kind else { return refuse(socket, id, .validation("/type", "is missing")) }
    guard session.user != 0 || kind == .auth else {
      refuse(socket, id, BearerGate.unauthorized())
      return server.close(socket, .protocolMisuse, "The first message must be auth.")
    }
    if kind != .resume { hub.resumptions?.noticeRequest(socket) }
    switch kind {
    case .auth, .refresh: authenticate(request, id, session, socket)
    case .resume: resume(request, id, session, socket)
    case .send: send(request, id, session, socket)
    case .edit, .delete: change(request, kind, id, session, socket)
    case .received, .read: mark(request, kind, id, session, socket)
    case .typing: typing(request, id, session, socket)
    case .history: history(request, id, session, socket)
    case .watch: watch(request, id, session, socket)
    case .unwatch: unwatch(request, id, socket)
    case .ping: ping(id, socket)
    case .unknown: refuse(socket, id, .validation("/type", "is not a request of this protocol"))
    }
  }

  private func refuse(_ socket: WebSocketID, _ id: ChatRequest.Text?, _ problem: Problem) {
    server.send(text: encoder.error(id?.content, problem), to: socket)
  }

  private func authenticate(
    _ request: ChatRequest, _ id: ChatRequest.Text, _ session: Sessions.Session, _ socket: WebSocketID
  ) {
    guard let token = request.token else { return refuse(socket, id, .validation("/token", "is missing")) }
    do throws(TokenFailure) {
      let caller = try verifier.verify(token.content)
      guard session.user == 0 || session.user == caller.user else {
        return refuse(socket, id, Problem(.forbidden, detail: "The token is another user's."))
      }
      let isFirst = session.user == 0
      server.send(
        text: encoder.ok(id.content) { json, time in
          json.raw(",\"expires_at\":")
          json.time(caller.expiresAt * 1000, &time)
        }, to: socket)
      if isFirst { return begin(socket, caller) }
      hub.sessions.authenticate(socket, user: caller.user, session: caller.session)
      awaitExpiry(socket, caller.expiresAt)
    } catch {
      refuse(socket, id, BearerGate.unauthorized(error))
      if session.user == 0 { server.close(socket, .tokenRevoked, "The token is not valid.") }
    }
  }

  private func send(
    _ request: ChatRequest, _ id: ChatRequest.Text, _ session: Sessions.Session, _ socket: WebSocketID
  ) {
    do throws(Problem) {
      let conversation = try request.conversationNumber()
      let refusal = try request.withMessage(to: conversation) { key, text, replyTo in
        hub.publish(sender: session.user) { batch in
          PublishBatch.Entry(
            origin: .socket(socket, id: batch.append(id.content)), sender: session.user,
            conversation: conversation, key: batch.append(key), text: batch.append(text), replyTo: replyTo)
        }
      }
      if let refusal { refuse(socket, id, refusal) }
    } catch {
      refuse(socket, id, error)
    }
  }

  /// An edit or a deletion.
  private func change(
    _ request: ChatRequest, _ kind: ChatRequest.Kind, _ id: ChatRequest.Text, _ session: Sessions.Session,
    _ socket: WebSocketID
  ) {
    do throws(Problem) {
      let conversation = try request.conversationNumber()
      let seq = try request.messageSeq()
      func publish(_ operation: PublishBatch.Operation, _ text: UnsafeRawBufferPointer?) -> Problem? {
        hub.publish(sender: session.user) { batch in
          PublishBatch.Entry(
            operation, seq: seq, text: text.map(batch.append) ?? .empty,
            origin: .socket(socket, id: batch.append(id.content)), sender: session.user,
            conversation: conversation)
        }
      }
      let refusal =
        kind == .delete ? publish(.delete, nil) : try request.withNewText { publish(.edit, $0) }
      if let refusal { refuse(socket, id, refusal) }
    } catch {
      refuse(socket, id, error)
    }
  }

  /// How far the user has received or read a conversation. It takes nothing of the rate: who reads much says so much.
  private func mark(
    _ request: ChatRequest, _ kind: ChatRequest.Kind, _ id: ChatRequest.Text, _ session: Sessions.Session,
    _ socket: WebSocketID
  ) {
    do throws(Problem) {
      let conversation = try request.conversationNumber()
      let seq = try request.messageSeq()
      let operation: PublishBatch.Operation =
        kind == .received ? .receive : request.isPrivate == true ? .readPrivately : .read
      let refusal = hub.publish(sender: session.user, isCounted: false) { batch in
        PublishBatch.Entry(
          operation, seq: seq, origin: .socket(socket, id: batch.append(id.content)), sender: session.user,
          conversation: conversation)
      }
      if let refusal { refuse(socket, id, refusal) }
    } catch {
      refuse(socket, id, error)
    }
  }

  private func typing(
    _ request: ChatRequest, _ id: ChatRequest.Text, _ session: Sessions.Session, _ socket: WebSocketID
  ) {
    do throws(Problem) {
      let conversation = try request.conversationNumber()
      guard let isActive = request.active else { throw .validation("/active", "is missing") }
      if let refusal = hub.spend(session.user) { throw refusal }
      let answerID = [UInt8](id.content)
      let user = session.user
      guard let rooms = hub.rooms else { throw .internal }
      let mark: (MemberList?) -> Void = { [unowned self] members in
        answer(answerID, socket) { () throws(Problem) in
          guard let members, members.contains(user) else { throw .notFound }
          hub.setTyping(user, in: conversation, isActive: isActive, members)
        }
      }
      if let members = rooms.known(conversation) { return mark(members) }
      // What the client asks next must not overtake this.
      let isTaken = rooms.find(conversation) { [unowned self] members in
        mark(members)
        server.resumeReading(socket)
      }
      guard isTaken else { throw .busy }
      server.pauseReading(socket)
    } catch {
      refuse(socket, id, error)
    }
  }

  /// `ok` without more, if `body` does not throw.
  private func answer(_ id: [UInt8], _ socket: WebSocketID, _ body: () throws(Problem) -> Void) {
    let text: UnsafeRawBufferPointer
    do throws(Problem) {
      try body()
      text = id.withUnsafeBytes { encoder.ok($0) { _, _ in } }
    } catch {
      text = id.withUnsafeBytes { encoder.error($0, error) }
    }
    server.send(text: text, to: socket)
  }

  private func resume(
    _ request: ChatRequest, _ id: ChatRequest.Text, _ session: Sessions.Session, _ socket: WebSocketID
  ) {
    guard let epoch = request.epoch else { return refuse(socket, id, .validation("/epoch", "is missing")) }
    guard let position = request.position, position >= 0 else {
      return refuse(socket, id, .validation("/position", "must be a number from 0"))
    }
    hub.resumptions?.resume(
      socket, of: session.user, epoch: epoch.unescaped(), position: position, request: [UInt8](id.content))
  }

  private func ping(_ id: ChatRequest.Text, _ socket: WebSocketID) {
    let answer = encoder.ok(id.content) { json, time in
      json.raw(",\"server_time\":")
      json.time(Timestamp.now().milliseconds, &time)
    }
    server.send(text: answer, to: socket)
  }

  private func history(
    _ request: ChatRequest, _ id: ChatRequest.Text, _ session: Sessions.Session, _ socket: WebSocketID
  ) {
    do throws(Problem) {
      let conversation = try request.conversationNumber()
      let page = try MessagePage(before: request.beforeSeq, after: request.afterSeq, limit: request.limit)
      let user = session.user
      // A page must fit beside what waits already, or it would count as a peer that does not read.
      let maximumBytes = server.limits.sendBuffer / 2
      try look(id, socket) {
        try MessageReader.page(
          $0, of: conversation, for: user, page, named: "messages", maximumBytes: maximumBytes)
      }
    } catch {
      refuse(socket, id, error)
    }
  }

  /// The socket is told of the device's quarter hours as soon as it is known that its user may see them, and only then is the
  /// latest one looked up: what changes between the two is told.
  private func watch(
    _ request: ChatRequest, _ id: ChatRequest.Text, _ session: Sessions.Session, _ socket: WebSocketID
  ) {
    do throws(Problem) {
      let device = try request.deviceNumber()
      guard let watches = hub.watches else { throw .internal }
      guard watches.mayAdd(socket, to: device) else {
        throw .validation("/device", "must be one of at most \(DeviceWatches.most) that a socket watches")
      }
      let user = session.user
      try look(id, socket, inOrder: true) {
        try DeviceWatches.latest(of: device, for: user, $0)
      } found: { [unowned self] (id, _) throws(Problem) in
        guard hub.sessions[socket] != nil else { return }
        watches.add(socket, to: device)
        try look(id, socket, inOrder: true) {
          Array("\"latest\":".utf8) + (try DeviceWatches.latest(of: device, for: user, $0))
        }
      }
    } catch {
      refuse(socket, id, error)
    }
  }

  private func unwatch(_ request: ChatRequest, _ id: ChatRequest.Text, _ socket: WebSocketID) {
    do throws(Problem) {
      hub.watches?.remove(socket, from: try request.deviceNumber())
      answer([UInt8](id.content), socket) { () throws(Problem) in }
    } catch {
      refuse(socket, id, error)
    }
  }

  // MARK: What is looked up in the store

  /// What goes on when a reader has found something: with the request's id, and the fields that were made.
  private typealias Found = (ChatRequest.Text, [UInt8]) throws(Problem) -> Void

  /// Answers with the fields that a reader makes.
  /// - Parameters:
  ///   - inOrder: the client's next requests wait for this one.
  ///   - found: what to do instead, on the loop.
  private func look(
    _ id: ChatRequest.Text, _ socket: WebSocketID, inOrder: Bool = false,
    _ read: @escaping @Sendable (Database) throws -> [UInt8],
    found: Found? = nil
  ) throws(Problem) {
    let id = ChatRequest.KeptID(id)
    let store = store
    let home = LoopBound((self, found))
    let mailbox = server.loop.mailbox
    let isTaken = readers.submit {
      let result = Result { try store.read(read) }
      mailbox.post {
        let (chat, found) = home.value
        inOrder ? chat.server.resumeReading(socket) : chat.server.endWork(socket)
        id.withText { chat.finishLook(result, $0, socket, found) }
      }
    }
    guard isTaken else { throw .busy }
    inOrder ? server.pauseReading(socket) : server.beginWork(socket)
  }

  private func finishLook(
    _ result: Result<[UInt8], any Error>, _ id: ChatRequest.Text, _ socket: WebSocketID, _ found: Found?
  ) {
    do {
      let fields = try result.get()
      if let found { return try found(id, fields) }
      let answer = encoder.ok(id.content) { json, _ in
        json.raw(",")
        json.raw(fields)
      }
      server.send(text: answer, to: socket)
    } catch {
      refuse(socket, id, Answer.problem(error))
    }
  }
}
