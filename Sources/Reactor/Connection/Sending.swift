import Glibc

extension Connection {
  /// Adds bytes to what leaves at the end of the tick.
  func append(_ bytes: UnsafeRawBufferPointer) { appendStored(server.outbox.store(bytes)) }

  func send(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Adds bytes that lie in the outbox already: a frame that goes to many.
  @inline(__always)
  func appendStored(_ bytes: UnsafeRawBufferPointer) {
    guard state != .closed, state != .lingering else { return }
    if firstPiece == Outbox.none { server.dirty.append(Unmanaged.passUnretained(self)) }
    server.outbox.link(bytes, first: &firstPiece, last: &lastPiece)
    pendingBytes += UInt32(bytes.count)
  }

  /// Sends the tick's chain: by one call if it is not very long.
  func flush() {
    guard firstPiece != Outbox.none else { return }
    let wasBehind = isBehind
    var piece = firstPiece
    forgetChain()
    while piece != Outbox.none {
      let bytes = server.gather(&piece)
      guard send(bytes) else { return }
    }
    if backlog == nil { didSendAll() }
    if wasBehind && !isBehind { didCatchUp() }
  }

  @inline(__always)
  func forgetChain() {
    firstPiece = Outbox.none
    lastPiece = Outbox.none
    pendingBytes = 0
  }

  /// False if the connection is gone.
  @inline(__always)
  private func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if let backlog {
      backlog.append(bytes)
      return true
    }
    return didWrite(writeSocket(bytes), of: bytes)
  }

  /// Keeps what the kernel did not take. False if the connection is gone.
  @discardableResult
  func didWrite(_ written: IOResult, of bytes: UnsafeRawBufferPointer) -> Bool {
    switch written {
    case .bytes(let count):
      if count < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[count...])) }
      return true
    case .wouldBlock:
      keep(bytes)
      return true
    case .ended, .failed:
      close(.socketError)
      return false
    }
  }

  private func keep(_ bytes: UnsafeRawBufferPointer) {
    let backlog = Backlog()
    backlog.append(bytes)
    backlog.deadline = server.ticks(after: server.limits.sendTimeout)
    self.backlog = backlog
    armTimer()
  }

  /// The kernel takes bytes again.
  func sendBacklog() {
    guard let backlog else { return }
    switch backlog.withUnsent({ writeSocket($0) }) {
    case .bytes(let count):
      backlog.didSend(count)
      backlog.deadline = server.ticks(after: server.limits.sendTimeout)
      // A peer that takes bytes lives, though its own may be waiting unread.
      silentBeats = 0
    case .wouldBlock: return
    case .ended, .failed: return close(.socketError)
    }
    if backlog.count == 0 {
      self.backlog = nil
      didSendAll()
    }
    if !isBehind { didCatchUp() }
  }

  /// What was held up while too much waited goes on: reading, and an answer that is streamed.
  private func didCatchUp() {
    exchange?.stream?.wake()
    if state == .webSocket { tellHandler { $0.caughtUp(WebSocketID(id)) } }
    resumeLater()
  }

  /// The backlog is empty. The last answer may still lie in the outbox, and FIN must not overtake it.
  private func didSendAll() {
    if state == .finishing, pendingBytes == 0 { linger() }
  }
}
