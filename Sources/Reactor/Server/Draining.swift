extension Server {
  /// Stops in good order: accepts no more, and ends each HTTP connection with the answer that it is owed. WebSockets
  /// stay until `closeWebSockets`. What is left after `milliseconds` is closed.
  /// - Parameter completed: called once, when the last connection has gone.
  public func drain(within milliseconds: UInt64, _ completed: @escaping () -> Void) {
    guard !isDraining else { return }
    isDraining = true
    drained = completed
    for listener in listeners { loop.retire(listener) }
    listeners = []
    // An idle connection may have a request on its way, such as a balancer's look at readiness: it has a moment.
    forEachConnection { if $0.state == .idle { $0.setDeadline(after: limits.drainIdle) } }
    let timer = LoopTimer { [unowned self] in
      forEachConnection { $0.close(.shutdown) }
      endDrain()
    }
    do { try loop.add(timer) } catch { return endDrain() }
    loop.setTimer(of: timer, at: loop.now + milliseconds)
  }

  /// Begins the closing handshake of every WebSocket, with 1001.
  public func closeWebSockets() {
    forEachConnection { $0.startClosing(.goingAway, "The server stops.", .shutdown) }
  }

  func forEachConnection(_ body: (Connection) -> Void) {
    loop.forEachSource { if let connection = $0 as? Connection { body(connection) } }
  }

  func endDrain() {
    drained?()
    drained = nil
  }
}
