/// The client's end of one WebSocket connection.
final class ClientConnection: ClientSocket {
  private enum State {
    /// The request is on its way; the answer must carry this `Sec-WebSocket-Accept`.
    case handshake(accept: String)
    case open
    /// A close frame was sent; the server ends the connection (RFC 6455 §7.1.1).
    case closing
    case closed
  }

  private unowned(unsafe) let client: WebSocketClient
  private var state: State
  private var machine = WebSocketMachine(role: .client)
  private var closeCode = CloseCode.abnormal

  init(fd: Int32, client: WebSocketClient, accept: String) {
    self.client = client
    state = .handshake(accept: accept)
    super.init(fd: fd, side: client.side)
  }

  var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  // MARK: Receiving

  override func process(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    switch state {
    case .handshake(let accept): takeAnswer(bytes, accept)
    case .open, .closing: takeFrames(bytes)
    case .closed: bytes.count
    }
  }

  /// The first frames may come with the 101.
  private func takeAnswer(_ bytes: UnsafeMutableRawBufferPointer, _ accept: String) -> Int {
    switch ClientHandshake.check(UnsafeRawBufferPointer(bytes), accept: accept) {
    case .needMore: return 0
    case .refused:
      close(.closed)
      return bytes.count
    case .accepted(let length, _):
      state = .open
      client.handler.opened(id)
      return length + takeFrames(UnsafeMutableRawBufferPointer(rebasing: bytes[length...]))
    }
  }

  private func takeFrames(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    var taken = 0
    do {
      while true {
        var consumed = 0
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[taken...])
        let step = try machine.next(rest, consumed: &consumed, limits: client.messageLimits)
        taken += consumed
        switch step {
        case .needMore: return taken
        case .compressed: break  // never agreed on
        case .message(let message, let isText):
          if isOpen { client.handler.received(id, message, isText: isText) }
        case .ping(let payload): if isOpen { send(.pong, payload) }
        case .pong: break
        case .close(let code, _):
          closeCode = code ?? .noStatus
          startClosing(closeCode)
        }
      }
    } catch {
      startClosing(error.code)
      return bytes.count
    }
  }

  // MARK: Sending

  func send(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) { append(client.frame(opcode, payload)) }

  func startClosing(_ code: CloseCode) {
    guard isOpen else { return }
    FrameEncoder.closePayload(code).withUnsafeBytes { send(.close, $0) }
    state = .closing
  }

  override func didClose(_ end: End) {
    state = .closed
    client.handler.closed(id, closeCode)
  }
}
