/// What all client sockets of one kind share on a loop: the receive buffer, and the outbox that is sent at the end of a tick.
final class ClientSide {
  let loop: EventLoop
  let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
  var outbox = Outbox()
  /// Sockets with something in the outbox.
  var dirty = TickList<Unmanaged<ClientSocket>>()

  init(loop: EventLoop) {
    self.loop = loop
    loop.atEndOfTick { [weak self] in self?.endTick() }
  }

  deinit { receiveBuffer.deallocate() }

  func bytes(of piece: inout Int32) -> UnsafeRawBufferPointer {
    let this = outbox[piece]
    piece = this.next
    return UnsafeRawBufferPointer(start: this.start, count: this.count)
  }

  private func endTick() {
    var next = 0
    while next < dirty.count {
      dirty[next]._withUnsafeGuaranteedRef { $0.flush() }
      next += 1
    }
    dirty.removeAll()
    outbox.reset()
  }
}
