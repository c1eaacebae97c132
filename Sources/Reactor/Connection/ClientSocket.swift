import Glibc

/// The client's end of one TCP connection: bytes in and out. What they mean is its subclasses' business.
class ClientSocket: EventSource {
  /// How a connection ended.
  enum End: Equatable {
    /// The server's FIN.
    case ended
    /// The socket failed, with this `errno`.
    case failed(Int32)
    /// We have ended it.
    case closed
  }

  private let fd: Int32
  let side: ClientSide
  private(set) final var isClosed = false
  /// The kernel has taken bytes: the connection stands, or stood.
  private(set) final var hasSent = false
  /// Bytes received and not yet consumed.
  private final var inbox: [UInt8] = []
  private final var hungUp = false
  private final var firstPiece = Outbox.none
  private final var lastPiece = Outbox.none
  private final var backlog: Backlog?

  init(fd: Int32, side: ClientSide) {
    self.fd = fd
    self.side = side
  }

  final func start() throws(SystemError) {
    do {
      try side.loop.add(self, fd: fd, for: [.readable, .writable, .hungUp, .edge])
    } catch {
      Glibc.close(fd)
      throw error
    }
  }

  // MARK: For subclasses

  /// Takes received bytes; returns how many it has used. The others come again, with more behind them.
  func process(_ bytes: UnsafeMutableRawBufferPointer) -> Int { bytes.count }

  /// Once, when the connection is gone.
  func didClose(_ end: End) {}

  // MARK: Receiving

  final override func ready(_ readiness: Readiness) {
    if !readiness.isDisjoint(with: .hungUp) { hungUp = true }
    if readiness.contains(.writable), backlog != nil { sendBacklog() }
    if !readiness.isDisjoint(with: [.readable, .hungUp]) { receive() }
  }

  final override func resume() { receive() }

  /// One read, and what follows from it; where more may wait, the next tick goes on.
  private final func receive() {
    guard !isClosed else { return }
    let buffer = side.receiveBuffer
    if inbox.count >= buffer.count { return close(.closed) }
    let space = UnsafeMutableRawBufferPointer(rebasing: buffer[inbox.count...])
    switch SocketIO.read(fd, into: space) {
    case .bytes(let count):
      inbox.withUnsafeBytes { buffer.copyMemory(from: $0) }
      consume(UnsafeMutableRawBufferPointer(rebasing: buffer[..<(inbox.count + count)]))
      if count == space.count || hungUp { side.loop.again(self) }
    case .wouldBlock: break
    case .ended: close(.ended)
    case .failed(let code): close(.failed(code))
    }
  }

  private final func consume(_ bytes: UnsafeMutableRawBufferPointer) {
    let taken = process(bytes)
    if taken < bytes.count {
      inbox = [UInt8](bytes[taken...])
    } else if !inbox.isEmpty {
      inbox = []
    }
  }

  // MARK: Sending

  /// Adds bytes that lie in the outbox to what leaves at the end of the tick.
  final func append(_ stored: UnsafeRawBufferPointer) {
    if firstPiece == Outbox.none { side.dirty.append(Unmanaged.passUnretained(self)) }
    side.outbox.link(stored, first: &firstPiece, last: &lastPiece)
  }

  final func flush() {
    var piece = firstPiece
    firstPiece = Outbox.none
    lastPiece = Outbox.none
    while piece != Outbox.none, !isClosed { send(side.bytes(of: &piece)) }
  }

  private final func send(_ bytes: UnsafeRawBufferPointer) {
    if let backlog { return backlog.append(bytes) }
    switch SocketIO.write(fd, bytes) {
    case .bytes(let count):
      hasSent = true
      if count < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[count...])) }
    case .wouldBlock: keep(bytes)
    case .ended: close(.ended)
    case .failed(let code): close(.failed(code))
    }
  }

  private final func keep(_ bytes: UnsafeRawBufferPointer) {
    let backlog = Backlog()
    backlog.append(bytes)
    self.backlog = backlog
  }

  private final func sendBacklog() {
    guard let backlog else { return }
    switch backlog.withUnsent({ SocketIO.write(fd, $0) }) {
    case .bytes(let count):
      hasSent = true
      backlog.didSend(count)
      if backlog.count == 0 { self.backlog = nil }
    case .wouldBlock: break
    case .ended: close(.ended)
    case .failed(let code): close(.failed(code))
    }
  }

  // MARK: The end

  final func close(_ end: End) {
    guard !isClosed else { return }
    isClosed = true
    Glibc.close(fd)
    side.loop.retire(self)
    didClose(end)
  }
}
