import Glibc

extension Connection {
  /// Sends what waits, then FIN; reads no more requests.
  func finish(_ reason: CloseReason) {
    guard state != .closed, state != .finishing, state != .lingering else { return }
    leave(reason)
    state = .finishing
    setDeadline(after: server.limits.sendTimeout)
    if unsentBytes == 0 { linger() }
  }

  /// FIN now, and wait a little for the peer's: closing with unread bytes would send a reset, which destroys what the
  /// peer has not yet read of our last answer (RFC 9112 §9.6).
  func linger() {
    if flags.contains(.peerEnded) { return close(.ended) }
    shutdownSocket()
    state = .lingering
    setDeadline(after: server.limits.lingerTimeout)
    flags.insert(.readable)
    resumeLater()
  }

  /// Ends it at once. What the peer has not received is lost.
  func close(_ reason: CloseReason) {
    guard state != .closed else { return }
    leave(reason)
    abandon()
  }

  /// The same without a reason, and its handler is not told: the server goes.
  func abandon() {
    guard state != .closed else { return }
    state = .closed
    // What this tick holds for it goes nowhere: at the tick's end the descriptor's number may be another connection's.
    forgetChain()
    closeSocket()
    backlog = nil
    exchange?.intake?.fail(.incomplete)
    exchange?.stream?.close()
    exchange = nil
    inbox = []
    server.didClose(self)
  }

  /// Tells the WebSocket's handler, once, that it is gone.
  private func leave(_ reason: CloseReason) {
    switch state {
    case .idle, .head, .body, .uploading, .answering: return server.count(reason)
    case .webSocket: server.count(reason)
    case .closing, .finishing, .lingering, .closed: return  // counted: the first reason wins
    }
    // The state changes first: what the handler does now finds no open socket.
    state = .finishing
    applicationDeadline = 0
    tellHandler { $0.closed(WebSocketID(id)) }
  }
}
