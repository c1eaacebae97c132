extension Connection {
  /// Gives the present state that long. The wheel's timer is moved only when it would come too late: a busy
  /// connection sets its deadline at each request and touches the wheel once in a while.
  func setDeadline(after milliseconds: UInt64) {
    deadline = server.ticks(after: milliseconds)
    armTimer()
  }

  func armTimer() {
    var soonest = deadline
    if applicationDeadline != 0 { soonest = min(soonest, applicationDeadline) }
    if let backlog { soonest = min(soonest, backlog.deadline) }
    server.loop.setTimer(of: self, notAfterTick: soonest)
  }

  func meetDeadlines() {
    let now = server.loop.tickNow
    if let backlog, backlog.deadline <= now { return close(.slowPeer) }
    if applicationDeadline != 0, applicationDeadline <= now {
      applicationDeadline = 0
      tellHandler { $0.deadline(WebSocketID(id)) }
    }
    if state != .closed, deadline <= now { deadlinePassed() }
    if state != .closed { armTimer() }
  }

  private func deadlinePassed() {
    let late = "The request did not arrive in time."
    switch state {
    case .idle: finish(.timedOut)
    case .head: fail(.requestTimeout, late, to: inbox.withUnsafeBytes { RequestHead(unread: $0) })
    case .body: fail(.requestTimeout, late)
    // While the handler does not pull, the client cannot go on: that time is not the client's.
    case .uploading where isThrottled: setDeadline(after: server.limits.bodyTimeout)
    case .uploading: failBody(.late, .timedOut)
    // A handler takes as long as it takes; its own limits are its business.
    case .answering: setDeadline(after: server.limits.idleTimeout)
    case .webSocket: heartbeat()
    // As long as the peer takes bytes, the backlog's own deadline moves on.
    case .finishing where backlog != nil: setDeadline(after: server.limits.sendTimeout)
    case .closing, .finishing: close(.timedOut)
    case .lingering: close(.ended)
    case .closed: break
    }
  }
}
