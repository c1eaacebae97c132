extension Connection {
  // MARK: Opening

  /// Answers a handshake (RFC 6455 §4.2). Frames that came with it are read after the 101.
  func upgrade(_ view: borrowing RequestView, to handler: any WebSocketHandler, context: (any Sendable)?) {
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
    key: Handshake.Key, subprotocol: String?, handler: any WebSocketHandler, context: (any Sendable)?
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
    self.handler = server.index(of: handler)
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
    var steps = 0
    var inflated = 0
    do {
      while !isThrottled {
        // With nothing left it goes on: the machine's last step releases a message. What inflates a thousand times is as
        // much work as if all of it had come.
        if steps >= server.limits.framesPerTurn || inflated >= server.limits.receiveBytes, taken < bytes.count
        {
          flags.insert(.hadItsTurn)
          return taken
        }
        steps += 1
        var consumed = 0
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[taken...])
        let step = try webSocket.next(rest, consumed: &consumed, limits: server.messageLimits)
        taken += consumed
        switch step {
        case .needMore: return taken
        case .message(let message, let isText): received(message, isText: isText)
        case .compressed(let message, let isText):
          guard state == .webSocket else { continue }
          let whole = try decompress(message, isText: isText)
          inflated += whole.count
          received(whole, isText: isText)
        case .ping(let payload): if state == .webSocket { send(.pong, payload) }
        case .pong: break
        case .close(let code, _): closedByPeer(code)
        }
        guard state == .webSocket || state == .closing else { return bytes.count }
      }
      return taken
    } catch {
      sendClose(error.code, "\(error.reason)")
      finish(.protocolError)
      return bytes.count
    }
  }

  private func received(_ message: UnsafeRawBufferPointer, isText: Bool) {
    guard state == .webSocket else { return }
    server.handlers[Int(handler)].received(WebSocketID(id), message, isText: isText)
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
    server.handlers[Int(handler)].closed(WebSocketID(id))
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
    server.handlers[Int(handler)].heartbeat(WebSocketID(id))
    if state == .webSocket { send(.ping, []) }
  }
}
