import Glibc

extension Connection {
  func didBecome(_ readiness: Readiness) {
    // Where nothing is read, no read would find it out, and a handler may wait long before it writes.
    if !readiness.isDisjoint(with: .broken), state == .answering || isThrottled { return close(.socketError) }
    if readiness.contains(.writable), backlog != nil { sendBacklog() }
    if !readiness.isDisjoint(with: [.readable, .hungUp]) { flags.insert(.readable) }
    if readiness.contains(.writable), let transport, transport.waitsForWritable { flags.insert(.readable) }
    if !readiness.isDisjoint(with: .hungUp) { flags.insert(.hungUp) }
    receive()
  }

  /// Goes on with this connection in the next tick, if there is anything to go on with.
  func resumeLater() {
    guard !flags.contains(.resuming),
      flags.contains(.readable) || !inbox.isEmpty || flags.contains(.peerEnded)
    else { return }
    flags.insert(.resuming)
    server.loop.again(self)
  }

  /// A peer that does not read is not read from, and neither is one whose body is not pulled: what it may make us hold is
  /// bounded. (A body that is pulled may come while answers wait: it makes none.)
  @inline(__always)
  var isThrottled: Bool {
    if state == .uploading { return exchange?.intake?.isFull ?? false }
    return isBehind || workUnderWay >= server.limits.workPerSocket
  }

  /// One read, and what follows from it. A connection with more to read waits for the next tick: fairness.
  func receive() {
    guard state != .closed, state != .answering, !isThrottled else { return }
    if let transport, transport.isBusy, !server.takeHandshakeTurn() { return resumeLater() }
    let buffer = server.receiveBuffer
    let carried = inbox.count
    // What was held back goes first: with no room beside it, a read of nothing would look like the peer's FIN.
    if flags.contains(.readable), carried <= buffer.count / 2 {
      take(readSocket(into: buffer.dropping(carried)), carried: carried)
    } else {
      consume(carried: carried, filled: carried)
      settle()
    }
  }

  /// The same from a read on, which the short way has made and not used.
  func goOn(after read: IOResult) {
    flags.insert(.readable)
    take(read, carried: 0)
  }

  /// What follows from a read. Its bytes lie in the receive buffer behind room for what was carried over.
  @inline(__always)
  private func take(_ read: IOResult, carried: Int) {
    var filled = carried
    switch read {
    case .bytes(let count):
      filled += count
      silentBeats = 0
      // A short read has emptied the socket: the next bytes bring a new edge.
      if filled < server.receiveBuffer.count, !flags.contains(.hungUp), !(transport?.hasMore ?? false) {
        flags.remove(.readable)
      }
    case .wouldBlock: flags.remove(.readable)
    case .ended:
      flags.remove(.readable)
      flags.insert(.peerEnded)
    case .failed: return close(.socketError)
    }
    consume(carried: carried, filled: filled)
    settle()
  }

  private func consume(carried: Int, filled: Int) {
    guard filled > 0 else { return }
    let buffer = server.receiveBuffer
    if carried > 0 { inbox.withUnsafeBytes { buffer.copyMemory(from: $0) } }
    let bytes = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: filled)
    // A WebSocket stays one.
    let consumed = state == .webSocket ? takeFrames(bytes) : process(bytes)
    if consumed == filled {
      if carried > 0 { inbox = [] }
    } else if consumed == 0 {
      inbox.append(contentsOf: buffer[carried..<filled])
    } else {
      inbox = [UInt8](buffer[consumed..<filled])
    }
  }

  /// Gives the bytes to the machine of the present state, again and again, until its turn is over; returns how many it has
  /// taken.
  @inline(__always)
  private func process(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    var taken = 0
    var requests = 0
    while taken < bytes.count, !isThrottled {
      if requests == server.limits.requestsPerTurn { flags.insert(.hadItsTurn) }
      if flags.contains(.hadItsTurn) { break }
      let rest = bytes.dropping(taken)
      let count: Int
      switch state {
      case .idle, .head:
        count = takeHead(UnsafeRawBufferPointer(rest))
        requests += 1
      case .body, .uploading: count = takeBody(UnsafeRawBufferPointer(rest))
      case .answering: count = 0
      case .webSocket, .closing: count = takeFrames(rest)
      case .finishing, .lingering, .closed: count = rest.count
      }
      if count == 0 { break }
      taken += count
    }
    return taken
  }

  /// What follows once nothing more can be done with the bytes that are there.
  @inline(__always)
  private func settle() {
    // Before the peer's FIN: it came behind what is left.
    if flags.remove(.hadItsTurn) != nil { return resumeLater() }
    if flags.contains(.peerEnded) {
      if !isThrottled { endedByPeer() }
    } else if flags.contains(.readable), state != .answering, !isThrottled {
      resumeLater()
    }
  }

  /// The peer's FIN, with all that came before it consumed. It may still read: an answer under way is sent.
  private func endedByPeer() {
    switch state {
    case .idle, .head, .body, .closing: finish(.ended)
    case .uploading: failBody(.incomplete, .ended)
    case .webSocket: close(.ended)
    case .lingering: close(.ended)
    case .answering, .finishing, .closed: break
    }
  }
}
