import Reactor

/// Users who come and go: so many a second connect, and who has been there longest leaves.
final class Visitors: Load {
  /// By connection: whether it is there.
  private enum State { case away, here, leaving }
  private var states: [State]
  private var next = 0
  /// Connections that ended although nobody had left.
  private(set) var lostCount = 0
  private(set) var visits = 0

  override init(_ target: Target, loop: EventLoop?) throws {
    states = Array(repeating: .away, count: target.accounts.count)
    try super.init(target, loop: loop)
  }

  /// One comes, and the one who came longest ago goes if half of all are there.
  func exchange() throws {
    if states[next] == .away {
      try connect(next)
      states[next] = .here
      visits += 1
    }
    let oldest = (next + states.count - states.count / 2) % states.count
    if states[oldest] == .here {
      states[oldest] = .leaving
      client.close(sockets[oldest])
    }
    next = (next + 1) % states.count
  }

  override func closed(_ connection: Int) {
    if states[connection] == .here { lostCount += 1 }
    states[connection] = .away
  }
}
