/// What an application does with the WebSockets that are open.
extension Server {
  /// Builds a text frame once, to be sent to any number of sockets in this tick.
  public func frame(text: UnsafeRawBufferPointer) -> WebSocketFrame {
    WebSocketFrame(bytes: outbox.frame(.text, text), tick: outbox.tick)
  }

  public func frame(binary: UnsafeRawBufferPointer) -> WebSocketFrame {
    WebSocketFrame(bytes: outbox.frame(.binary, binary), tick: outbox.tick)
  }

  public func send(_ frame: WebSocketFrame, to socket: WebSocketID) {
    precondition(frame.tick == outbox.tick, "a frame lives for one tick")
    withConnection(socket) { $0.sendMessage(frame.bytes) }
  }

  public func send(text: UnsafeRawBufferPointer, to socket: WebSocketID) {
    withConnection(socket) { $0.sendMessage(outbox.frame(.text, text)) }
  }

  public func send(binary: UnsafeRawBufferPointer, to socket: WebSocketID) {
    withConnection(socket) { $0.sendMessage(outbox.frame(.binary, binary)) }
  }

  /// Begins the closing handshake. The handler's `closed` is called at once.
  public func close(_ socket: WebSocketID, _ code: CloseCode, _ reason: String) {
    connection(socket)?.startClosing(code, reason, .application)
  }

  /// Calls the handler's `deadline` once, so many milliseconds from now; nil cancels.
  public func setDeadline(_ socket: WebSocketID, after milliseconds: UInt64?) {
    guard let connection = connection(socket) else { return }
    connection.applicationDeadline = milliseconds.map { max(1, ticks(after: $0)) } ?? 0
    connection.armTimer()
  }

  /// Counts a request of that peer's that a worker has taken: a peer that asks faster than it is answered is not read
  /// from meanwhile. Each is ended by `endWork`.
  public func beginWork(_ socket: WebSocketID) { connection(socket)?.workUnderWay += 1 }

  public func endWork(_ socket: WebSocketID) {
    guard let connection = connection(socket) else { return }
    connection.workUnderWay -= 1
    connection.resumeLater()
  }

  /// Reads nothing more from that peer until `resumeReading`: what it asks next may depend on what is under way.
  public func pauseReading(_ socket: WebSocketID) {
    connection(socket)?.workUnderWay += limits.workPerSocket
  }

  public func resumeReading(_ socket: WebSocketID) {
    guard let connection = connection(socket) else { return }
    connection.workUnderWay -= limits.workPerSocket
    connection.resumeLater()
  }

  /// Whether more waits for that peer than should: what can wait elsewhere is better not sent now.
  public func isBehind(_ socket: WebSocketID) -> Bool { connection(socket)?.isBehind ?? false }

  /// The bytes that wait for that peer.
  public func unsentBytes(_ socket: WebSocketID) -> Int { connection(socket)?.unsentBytes ?? 0 }

  private func connection(_ socket: WebSocketID) -> Connection? {
    guard let source = loop.source(socket.source) else { return nil }
    // Only connections are given a WebSocketID.
    return unsafeDowncast(source, to: Connection.self)
  }

  /// The loop keeps the connection to the end of the tick: it need not be retained meanwhile.
  @inline(__always)
  private func withConnection(_ socket: WebSocketID, _ body: (Connection) -> Void) {
    loop.unmanagedSource(socket.source)?._withUnsafeGuaranteedRef {
      body(unsafeDowncast($0, to: Connection.self))
    }
  }

  /// nil if no route has it.
  func index(of handler: WebSocketHandler) -> UInt8? {
    handlers.firstIndex { $0._withUnsafeGuaranteedRef { $0 === handler } }.map { UInt8($0) }
  }
}
