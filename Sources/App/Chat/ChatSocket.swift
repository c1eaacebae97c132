import Reactor

/// The chat protocol on the sockets of `/ws`: who may open one, what each request does, and how it is answered.
final class ChatSocket: WebSocketHandler {
  private let server: Server
  private let hub: Hub
  private let verifier: TokenVerifier
  private let store: Store
  private let readers: WorkerQueue
  private let allowedOrigins: Set<String>
  private var encoder = ChatEncoder()

  static let subprotocol = "wattloop.v1"
  /// What a subprotocol that carries a token begins with: browsers can set no header field.
  private static let tokenPrefix = "bearer."

  init(
    server: Server, hub: Hub, verifier: TokenVerifier, store: Store, readers: WorkerQueue,
    allowedOrigins: [String]
  ) {
    self.server = server
    self.hub = hub
    self.verifier = verifier
    self.store = store
    self.readers = readers
    self.allowedOrigins = Set(allowedOrigins)
  }

  // MARK: Opening

  func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
    guard isFromAllowedOrigin(request) else {
      return .refuse(Problem(.forbidden, detail: "Pages of this origin may not connect.").response)
    }
    let offered = request.offeredSubprotocols
    let chosen = offered.contains(Self.subprotocol) ? Self.subprotocol : nil
    do {
      if let field = request.bytes(of: "authorization") {
        let caller = try verifier.verify(
          BearerToken.find(in: field) ?? UnsafeRawBufferPointer(start: nil, count: 0))
        return .accept(subprotocol: chosen, context: caller)
      }
      if let carrier = offered.first(where: { $0.hasPrefix(Self.tokenPrefix) }) {
        let token = Array(carrier.utf8.dropFirst(Self.tokenPrefix.utf8.count))
        let caller = try token.withUnsafeBytes { try verifier.verify($0) }
        return .accept(subprotocol: chosen, context: caller)
      }
    } catch {
      return .refuse(BearerGate.unauthorized(error as? TokenFailure).response)
    }
    return .accept(subprotocol: chosen, context: nil)
  }

  /// A page of another site must not use its visitor's standing (cross-site WebSocket hijacking). Programs that are no
  /// browsers send no `Origin`.
  private func isFromAllowedOrigin(_ request: borrowing RequestView) -> Bool {
    guard let sent = request.value(of: "origin") else { return true }
    guard let origin = Origin.normalized(sent) else { return false }
    if allowedOrigins.contains(origin) { return true }
    let authority = request.authority
    return ["http://", "https://"].contains { Origin.normalized($0 + authority) == origin }
  }

  func opened(_ socket: WebSocketID, context: (any Sendable)?) {
    hub.sessions.open(socket)
    if let caller = context as? Caller {
      begin(socket, caller)
    } else {
      server.setDeadline(socket, after: server.limits.headerTimeout)
    }
  }

  private func begin(_ socket: WebSocketID, _ caller: Caller) {
    hub.sessions.authenticate(socket, user: caller.user, session: caller.session)
    awaitExpiry(socket, caller)
    let hello = ChatEncoder.Hello(
      session: "s\(socket.text)", user: caller.user, epoch: hub.epoch, position: hub.position,
      heartbeatMilliseconds: server.limits.heartbeat, messageBytes: server.limits.messageBytes,
      sendRate: hub.limits.sendRate)
    server.send(text: encoder.hello(hello), to: socket)
  }

  /// The socket ends with its token.
  private func awaitExpiry(_ socket: WebSocketID, _ caller: Caller) {
    let now = Timestamp.now().milliseconds
    let end = caller.expiresAt * 1000
    // A token that was taken within the clocks' leeway is used up at the end of that.
    let left = end > now ? end - now : end + JWT.leeway * 1000 - now
    server.setDeadline(socket, after: UInt64(max(1, left)))
  }

  func deadline(_ socket: WebSocketID) {
    guard let session = hub.sessions[socket] else { return }
    if session.user == 0 {
      server.close(socket, .protocolMisuse, "No token came in time.")
    } else {
      server.close(socket, .tokenExpired, "The access token has expired.")
    }
  }

  func closed(_ socket: WebSocketID) { hub.sessions.close(socket) }

  func heartbeat(_ socket: WebSocketID) {
    guard let session = hub.sessions[socket], session.user != 0 else { return }
    server.send(text: encoder.heartbeat(position: hub.position), to: socket)
  }

  // MARK: Requests

  func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
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
    switch kind {
    case .auth, .refresh: authenticate(request, id, session, socket)
    case .send: send(request, id, session, socket)
    case .history: history(request, id, session, socket)
    case .ping: ping(id, socket)
    case .unknown: refuse(socket, id, .validation("/type", "is not a request of this protocol"))
    }
  }

  private func refuse(
    _ socket: WebSocketID, _ id: ChatRequest.Text?, _ problem: Problem
  ) {
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
      awaitExpiry(socket, caller)
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
      let answerID = [UInt8](id.content)
      let store = store
      let user = session.user
      // A page must fit beside what waits already, or it would count as a peer that does not read.
      let maximumBytes = server.limits.sendBuffer / 2
      let home = LoopBound(self)
      let mailbox = server.loop.mailbox
      let isTaken = readers.submit {
        let result = Result {
          try store.read {
            try MessageReader.page(
              $0, of: conversation, for: user, page, named: "messages", maximumBytes: maximumBytes)
          }
        }
        mailbox.post { home.value.finishHistory(result, answerID, socket) }
      }
      guard isTaken else { throw .busy }
      server.beginWork(socket)
    } catch {
      refuse(socket, id, error)
    }
  }

  private func finishHistory(_ result: Result<[UInt8], any Error>, _ id: [UInt8], _ socket: WebSocketID) {
    server.endWork(socket)
    let answer = id.withUnsafeBytes { id in
      switch result {
      case .success(let page):
        encoder.ok(id) { json, _ in
          json.raw(",")
          json.raw(page)
        }
      case .failure(let error): encoder.error(id, Answer.problem(error))
      }
    }
    server.send(text: answer, to: socket)
  }
}

extension CloseCode {
  /// 4000 to 4499: come back with a new connection; 4500 and above: do not.
  static let tokenExpired = CloseCode(rawValue: 4001)
  static let tokenRevoked = CloseCode(rawValue: 4500)
  static let protocolMisuse = CloseCode(rawValue: 4501)
}
