extension Connection {
  // MARK: Opening

  /// Answers a handshake (RFC 6455 §4.2). Frames that came with it are read after the 101.
  func upgrade(_ view: borrowing RequestView, to handler: WebSocketHandler, context: (any Sendable)?) {
    switch Handshake.check(view.head, in: view.headBytes) {
    case .refuse(let status, let fields):
      refuseUpgrade(server.refusal(status, "This is not a WebSocket handshake.", fields), view)
    case .accept(let key, let extensions):
      switch handler.accept(view) {
      case .refuse(let response): refuseUpgrade(response, view)
      case .accept(let subprotocol, let found):
        agreeOnCompression(extensions)
        open(key: key, subprotocol: subprotocol, handler: handler, context: found ?? context)
      }
    }
  }

  private func refuseUpgrade(_ response: Response, _ view: borrowing RequestView) {
    // What a client sends behind a handshake that failed is no request: the connection ends.
    flags.insert(.lastAnswer)
    respond(response, to: view.head)
    finish(.protocolError)
  }

  private func open(
    key: Handshake.Key, subprotocol: String?, handler: WebSocketHandler, context: (any Sendable)?
  ) {
    var fields = [
      Response.Field("upgrade", "websocket"),
      Response.Field("sec-websocket-accept", Handshake.acceptValue(for: key, sha1: Digest.sha1)),
    ]
    if let compression {
      fields.append(Response.Field("sec-websocket-extensions", compression.agreement.answer))
    }
    if let subprotocol { fields.append(Response.Field("sec-websocket-protocol", subprotocol)) }
    respond(Response(.switchingProtocols, fields: fields), to: server.head)
    state = .webSocket
    silentBeats = 0
    self.handler = server.index(of: handler) ?? 0
    setDeadline(after: server.limits.heartbeat)
    handler.opened(WebSocketID(id), context: context)
  }

  private func agreeOnCompression(_ offered: [ExtensionElement]) {
    guard server.connectionCount <= server.limits.deflateConnections,
      let agreement = DeflateAgreement.choose(offered, windowBits: server.limits.deflateWindowBits)
    else { return }
    if layers == nil { layers = Layers() }
    layers?.compression = MessageCompression(agreement)
    webSocket.deflates = true
  }

  // MARK: Receiving

  /// Takes the frames that have come, until more is needed, its turn is over or the peer must read first. Returns the bytes
  /// used.
  func takeFrames(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    var taken = 0
    var turn = server.limits.framesPerTurn
    // With nothing left it goes on while the machine holds a message: its next step releases that.
    while taken < bytes.count || !webSocket.isEmpty, !isThrottled {
      if turn <= 0, taken < bytes.count {
        flags.insert(.hadItsTurn)
        return taken
      }
      turn -= 1
      let rest = bytes.dropping(taken)
      if let message = webSocket.shortMessage(rest, limits: server.messageLimits) {
        taken += message.frameLength
        received(message.payload, isText: message.isText)
      } else {
        guard takeStep(rest, &taken, &turn) else { return taken }
      }
      guard state == .webSocket || state == .closing else { return bytes.count }
    }
    return taken
  }

  /// One step of the machine. False if it needs more than there is.
  private func takeStep(
    _ bytes: UnsafeMutableRawBufferPointer, _ taken: inout Int, _ turn: inout Int
  ) -> Bool {
    do {
      var consumed = 0
      let step = try webSocket.next(bytes, consumed: &consumed, limits: server.messageLimits)
      taken += consumed
      switch step {
      case .needMore: return false
      case .message(let message, let isText): received(message, isText: isText)
      case .compressed(let message, let isText):
        guard state == .webSocket else { break }
        let whole = try decompress(message, isText: isText)
        // What inflates a thousand times is as much work as if all of it had come.
        turn -= whole.count * server.limits.framesPerTurn / server.limits.receiveBytes
        received(whole, isText: isText)
      case .ping(let payload): if state == .webSocket { send(.pong, payload) }
      case .pong: break
      case .close(let code, _): closedByPeer(code)
      }
    } catch {
      sendClose(error.code, "\(error.reason)")
      finish(.protocolError)
    }
    return true
  }

  @inline(__always)
  private func received(_ message: UnsafeRawBufferPointer, isText: Bool) {
    guard state == .webSocket else { return }
    let socket = WebSocketID(id)
    tellHandler { $0.received(socket, message, isText: isText) }
  }

  /// The handler that serves this socket. It lives as long as its route: it need not be retained for a call.
  @inline(__always)
  func tellHandler(_ body: (WebSocketHandler) -> Void) {
    server.handlers[Int(handler)]._withUnsafeGuaranteedRef(body)
  }

  private func decompress(
    _ message: UnsafeRawBufferPointer, isText: Bool
  ) throws(WebSocketError) -> UnsafeRawBufferPointer {
    guard let compression else { throw .protocolError("reserved bit set") }
    let whole = try compression.inflate(message, into: server.inflateBuffer.bytes)
    guard !isText || UTF8Validator.isValid(whole) else { throw .invalidText }
    return whole
  }

  /// RFC 6455 §5.5.1: answer a close frame with one, and then end the connection; the server first (§7.1.1).
  private func closedByPeer(_ code: CloseCode?) {
    if state == .webSocket { send(.close, code.map { FrameEncoder.closePayload($0) } ?? []) }
    finish(.ended)
  }

  // MARK: Sending

  func send(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
    appendStored(server.outbox.frame(opcode, payload))
  }

  private func send(_ opcode: Opcode, _ payload: [UInt8]) { payload.withUnsafeBytes { send(opcode, $0) } }

  /// Sends a message's frame; a peer that does not keep up with its messages is closed instead.
  @inline(__always)
  func sendMessage(_ frame: UnsafeRawBufferPointer) {
    guard state == .webSocket else { return }
    if unsentBytes + frame.count > server.limits.sendBuffer {
      return startClosing(server.limits.slowPeerCode, "This connection does not read fast enough.", .slowPeer)
    }
    guard let compression else { return appendStored(frame) }
    appendStored(server.outbox.compressed(frame, by: compression) ?? frame)
  }

  /// Begins the closing handshake: our close frame, then the peer's is awaited.
  func startClosing(_ code: CloseCode, _ reason: String, _ why: CloseReason) {
    guard state == .webSocket else { return }
    sendClose(code, reason)
    server.count(why)
    state = .closing
    applicationDeadline = 0
    tellHandler { $0.closed(WebSocketID(id)) }
    setDeadline(after: server.limits.headerTimeout)
  }

  private func sendClose(_ code: CloseCode, _ reason: String) {
    if state == .webSocket { send(.close, FrameEncoder.closePayload(code, reason: reason)) }
  }

  // MARK: Staying

  /// Each heartbeat pings; a peer from which nothing came for three of them, not even a pong, is gone.
  func heartbeat() {
    guard silentBeats < Limits.silentHeartbeats else { return close(.timedOut) }
    silentBeats += 1
    setDeadline(after: server.limits.heartbeat)
    tellHandler { $0.heartbeat(WebSocketID(id)) }
    if state == .webSocket { send(.ping, []) }
  }
}
