/// The short way, which nearly every message goes: in one read that holds nothing else, and out in one write of one piece. Each of
/// its three steps either does what the general step does, with a fraction of the instructions, or declines and leaves all to that
/// one as it was.
extension Connection {
  /// The bare socket, and the kernel has taken all it was given.
  @inline(__always)
  private var isBare: Bool { layers == nil && backlog == nil }

  // MARK: In

  /// Whether nothing but a read is due. The general step is `didBecome`.
  @inline(__always)
  func goesShortWay(_ readiness: Readiness) -> Bool {
    readiness.contains(.readable) && readiness.isDisjoint(with: .hungUp) && state == .webSocket && isBare
      && flags.isEmpty && inbox.isEmpty && !isThrottled
  }

  /// Where it is: one read, and the handler has the message.
  func receiveShort() {
    let server = server
    let buffer = server.receiveBuffer
    guard let read = SocketIO.readOnce(fd, into: buffer) else { return didBecome(.readable) }
    guard case .bytes(let count) = read,
      let message = webSocket.shortMessage(
        UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count), alone: true,
        limits: server.messageLimits)
    else { return goOn(after: read) }
    // So short a read has emptied the socket: the next bytes bring a new edge.
    silentBeats = 0
    tellHandler { $0.received(WebSocketID(id), message.payload, isText: message.isText) }
  }

  // MARK: Out

  /// Sends a message of at most 125 bytes. False where `sendMessage` must do it.
  @inline(__always)
  func sendShort(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> Bool {
    let server = server
    guard payload.baseAddress != nil, payload.count <= FrameEncoder.longestShortPayload,
      state == .webSocket, isBare
    else { return false }
    let count = FrameEncoder.shortHeaderLength + payload.count
    guard Int(pendingBytes) + count <= server.limits.sendBuffer, server.dirty.hasRoom,
      server.outbox.linkShort(opcode, payload, first: &firstPiece, last: &lastPiece)
    else { return false }
    // No piece is empty: nothing has been added for it in this tick.
    if pendingBytes == 0 { server.dirty.appendInRoom(Unmanaged.passUnretained(self)) }
    pendingBytes += UInt32(count)
    return true
  }

  /// Sends the tick's chain if it is one piece. The general step is `flush`.
  @inline(__always)
  func flushShort() {
    let server = server
    guard isBare, firstPiece == lastPiece, firstPiece != Outbox.none, state != .finishing, !isBehind
    else { return flush() }
    let piece = server.outbox[firstPiece]
    let bytes = UnsafeRawBufferPointer(start: piece.start, count: piece.count)
    guard let written = SocketIO.writeOnce(fd, bytes) else { return flush() }
    forgetChain()
    if case .bytes(piece.count) = written { return }
    didWrite(written, of: bytes)
  }
}
