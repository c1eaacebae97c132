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
    send(.text, text, to: socket)
  }

  public func send(binary: UnsafeRawBufferPointer, to socket: WebSocketID) {
    send(.binary, binary, to: socket)
  }

  /// A call of another object's would cost saved registers: what is not short is looked up again.
  @inline(__always)
  private func send(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, to socket: WebSocketID) {
    if withConnection(socket, { $0.sendShort(opcode, payload) }) == true { return }
    sendAny(opcode, payload, to: socket)
  }

  private func sendAny(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, to socket: WebSocketID) {
    withConnection(socket) { $0.sendMessage(outbox.frame(opcode, payload)) }
  }

  /// Begins the closing handshake. The handler's `closed` is called at once.
  public func close(_ socket: WebSocketID, _ code: CloseCode, _ reason: String) {
    withConnection(socket) { $0.startClosing(code, reason, .application) }
  }

  /// Calls the handler's `deadline` once, so many milliseconds from now; nil cancels.
  public func setDeadline(_ socket: WebSocketID, after milliseconds: UInt64?) {
    withConnection(socket) {
      $0.applicationDeadline = milliseconds.map { max(1, ticks(after: $0)) } ?? 0
      $0.armTimer()
    }
  }

  /// Counts a request of that peer's that a worker has taken: a peer that asks faster than it is answered is not read
  /// from meanwhile. Each is ended by `endWork`.
  public func beginWork(_ socket: WebSocketID) { withConnection(socket) { $0.workUnderWay += 1 } }

  public func endWork(_ socket: WebSocketID) {
    withConnection(socket) {
      $0.workUnderWay -= 1
      $0.resumeLater()
    }
  }

  /// Reads nothing more from that peer until `resumeReading`: what it asks next may depend on what is under way.
  public func pauseReading(_ socket: WebSocketID) {
    withConnection(socket) { $0.workUnderWay += limits.workPerSocket }
  }

  public func resumeReading(_ socket: WebSocketID) {
    withConnection(socket) {
      $0.workUnderWay -= limits.workPerSocket
      $0.resumeLater()
    }
  }

  /// Whether more waits for that peer than should: what can wait elsewhere is better not sent now.
  public func isBehind(_ socket: WebSocketID) -> Bool {
    withConnection(socket) { $0.isBehind } ?? false
  }

  /// The bytes that wait for that peer.
  public func unsentBytes(_ socket: WebSocketID) -> Int {
    withConnection(socket) { $0.unsentBytes } ?? 0
  }

  /// nil if the socket has gone. The loop keeps the connection to the end of the tick: it need not be retained meanwhile.
  @inline(__always) @discardableResult
  private func withConnection<Result>(_ socket: WebSocketID, _ body: (Connection) -> Result) -> Result? {
    loop.unmanagedSource(socket.source)?._withUnsafeGuaranteedRef {
      // Only connections are given a WebSocketID.
      body(unsafeDowncast($0, to: Connection.self))
    }
  }

  /// nil if no route has it.
  func index(of handler: WebSocketHandler) -> UInt8? {
    handlers.firstIndex { $0._withUnsafeGuaranteedRef { $0 === handler } }.map { UInt8($0) }
  }
}
