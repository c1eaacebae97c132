import Reactor

/// The chat protocol on the sockets of `/ws`: who may open one, what each request does, and how it is answered.
final class ChatSocket: WebSocketHandler {
  let server: Server
  let hub: Hub
  let verifier: TokenVerifier
  let store: Store
  let readers: WorkerQueue
  private let allowedOrigins: Set<String>
  var encoder = ChatEncoder()

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

  override func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
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

  override func opened(_ socket: WebSocketID, context: (any Sendable)?) {
    hub.sessions.open(socket)
    if let caller = context as? Caller {
      begin(socket, caller)
    } else {
      server.setDeadline(socket, after: server.limits.headerTimeout)
    }
  }

  func begin(_ socket: WebSocketID, _ caller: Caller) {
    hub.sessions.authenticate(socket, user: caller.user, session: caller.session)
    let hello = ChatEncoder.Hello(
      session: "s\(socket.text)", user: caller.user, epoch: hub.epoch, position: hub.position,
      heartbeatMilliseconds: server.limits.heartbeat, messageBytes: server.limits.messageBytes,
      sendRate: hub.limits.sendRate)
    server.send(text: encoder.hello(hello), to: socket)
    hub.resumptions?.hold(socket, of: caller.user)
    hub.presence?.opened(socket, of: caller.user)
    // Behind `hello`, which is the first that a client hears.
    awaitExpiry(socket, caller.expiresAt)
  }

  override func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    answer(bytes, isText: isText, to: socket)
  }

  // MARK: Staying, as long as the token

  /// A client is warned so long before its token ends, milliseconds.
  private static let warning: Int64 = 30_000

  /// The socket ends with its token.
  /// - Parameter expiry: Unix seconds.
  func awaitExpiry(_ socket: WebSocketID, _ expiry: Int64) {
    hub.sessions.setExpiry(expiry, of: socket)
    let left = Self.timeLeft(expiry)
    if left > Self.warning { return server.setDeadline(socket, after: UInt64(left - Self.warning)) }
    warn(socket, expiry)
  }

  private func warn(_ socket: WebSocketID, _ expiry: Int64) {
    hub.sessions.setExpiry(nil, of: socket)
    server.send(text: encoder.tokenExpiring(at: expiry * 1000), to: socket)
    server.setDeadline(socket, after: UInt64(max(1, Self.timeLeft(expiry))))
  }

  /// Milliseconds. A token that was taken within the clocks' leeway is used up at the end of that.
  private static func timeLeft(_ expiry: Int64) -> Int64 {
    let now = Timestamp.now().milliseconds
    return expiry * 1000 > now ? expiry * 1000 - now : (expiry + JWT.leeway) * 1000 - now
  }

  override func deadline(_ socket: WebSocketID) {
    guard let session = hub.sessions[socket] else { return }
    if session.user == 0 {
      server.close(socket, .protocolMisuse, "No token came in time.")
    } else if let expiry = session.expiry {
      warn(socket, expiry)
    } else {
      server.close(socket, .tokenExpired, "The access token has expired.")
    }
  }

  override func closed(_ socket: WebSocketID) {
    guard let session = hub.sessions[socket] else { return }
    hub.sessions.close(socket)
    hub.resumptions?.closed(socket)
    hub.watches?.closed(socket)
    if session.user != 0, !hub.sessions.isOnline(session.user) { hub.presence?.left(session.user) }
  }

  override func caughtUp(_ socket: WebSocketID) { hub.resumptions?.caughtUp(socket) }

  /// Says how far the events have come, so that a client to which nothing comes knows whether it has missed anything. A
  /// socket that is not live has not come that far.
  override func heartbeat(_ socket: WebSocketID) {
    guard let session = hub.sessions[socket], session.user != 0, session.isLive else { return }
    server.send(text: encoder.heartbeat(position: max(hub.position, session.floor)), to: socket)
  }
}

extension CloseCode {
  /// 4000 to 4499: come back with a new connection; 4500 and above: do not.
  static let tokenExpired = CloseCode(rawValue: 4001)
  static let tokenRevoked = CloseCode(rawValue: 4500)
  static let protocolMisuse = CloseCode(rawValue: 4501)
}
