import Glibc

/// The client's end of one WebSocket connection.
final class ClientConnection: EventSource {
  private enum State {
    /// The request is on its way; the answer must carry this `Sec-WebSocket-Accept`.
    case handshake(accept: String)
    case open
    /// A close frame was sent; the server ends the connection (RFC 6455 §7.1.1).
    case closing
    case closed
  }

  private let fd: Int32
  private unowned(unsafe) let client: WebSocketClient
  private var state: State
  private var machine = WebSocketMachine(role: .client)
  private var closeCode = CloseCode.abnormal
  /// Bytes received and not yet consumed.
  private var inbox: [UInt8] = []
  private var hungUp = false
  private var firstPiece = Outbox.none
  private var lastPiece = Outbox.none
  private var backlog: Backlog?

  init(fd: Int32, client: WebSocketClient, accept: String) {
    self.fd = fd
    self.client = client
    state = .handshake(accept: accept)
  }

  func start() throws(SystemError) {
    do {
      try client.loop.add(self, fd: fd, for: [.readable, .writable, .hungUp, .edge])
    } catch {
      Glibc.close(fd)
      throw error
    }
  }

  var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  private var isClosed: Bool {
    if case .closed = state { true } else { false }
  }

  override func ready(_ readiness: Readiness) {
    if !readiness.isDisjoint(with: .hungUp) { hungUp = true }
    if readiness.contains(.writable), backlog != nil { sendBacklog() }
    if !readiness.isDisjoint(with: [.readable, .hungUp]) { receive() }
  }

  override func resume() { receive() }

  // MARK: Receiving

  /// One read, and what follows from it; where more may wait, the next tick goes on.
  private func receive() {
    guard !isClosed else { return }
    if inbox.count >= client.receiveBuffer.count { return close() }
    let buffer = client.receiveBuffer
    let space = UnsafeMutableRawBufferPointer(rebasing: buffer[inbox.count...])
    switch SocketIO.read(fd, into: space) {
    case .bytes(let count):
      inbox.withUnsafeBytes { buffer.copyMemory(from: $0) }
      consume(UnsafeMutableRawBufferPointer(rebasing: buffer[..<(inbox.count + count)]))
      if count == space.count || hungUp { client.loop.again(self) }
    case .wouldBlock: break
    case .ended, .failed: close()
    }
  }

  private func consume(_ bytes: UnsafeMutableRawBufferPointer) {
    let taken = process(bytes)
    if taken < bytes.count {
      inbox = [UInt8](bytes[taken...])
    } else if !inbox.isEmpty {
      inbox = []
    }
  }

  private func process(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
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
      close()
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

  /// Adds bytes that lie in the outbox to what leaves at the end of the tick.
  func append(_ stored: UnsafeRawBufferPointer) {
    if firstPiece == Outbox.none { client.dirty.append(Unmanaged.passUnretained(self)) }
    client.outbox.link(stored, first: &firstPiece, last: &lastPiece)
  }

  func flush() {
    var piece = firstPiece
    firstPiece = Outbox.none
    lastPiece = Outbox.none
    while piece != Outbox.none, !isClosed { send(client.bytes(of: &piece)) }
  }

  private func send(_ bytes: UnsafeRawBufferPointer) {
    if let backlog { return backlog.append(bytes) }
    switch SocketIO.write(fd, bytes) {
    case .bytes(let count):
      if count < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[count...])) }
    case .wouldBlock: keep(bytes)
    case .ended, .failed: close()
    }
  }

  private func keep(_ bytes: UnsafeRawBufferPointer) {
    let backlog = Backlog()
    backlog.append(bytes)
    self.backlog = backlog
  }

  private func sendBacklog() {
    guard let backlog else { return }
    switch backlog.withUnsent({ SocketIO.write(fd, $0) }) {
    case .bytes(let count):
      backlog.didSend(count)
      if backlog.count == 0 { self.backlog = nil }
    case .wouldBlock: break
    case .ended, .failed: close()
    }
  }

  // MARK: The end

  private func close() {
    guard !isClosed else { return }
    state = .closed
    Glibc.close(fd)
    client.loop.retire(self)
    client.handler.closed(id, closeCode)
  }
}
