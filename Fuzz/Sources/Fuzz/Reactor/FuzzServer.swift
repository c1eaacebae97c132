@testable import Reactor

/// A server whose clock and network belong to the fuzzer. Nothing in it sleeps, and nothing happens but in `tick`.
final class FuzzServer {
  struct Peer {
    let wire: Wire
    let connection: SourceID
  }

  /// Milliseconds.
  private final class Clock { var now: UInt64 = 1_000_000 }

  private let clock = Clock()
  let loop: EventLoop
  let server: Server
  let sockets: FuzzSockets
  let held = HeldAnswers()
  private(set) var peers: [Peer] = []
  /// What the poller will tell in the next tick.
  private var events: [(source: SourceID, readiness: Readiness)] = []

  /// So small that short inputs meet them.
  static let limits = {
    var limits = Limits()
    limits.headBytes = 600
    limits.headFields = 12
    limits.targetBytes = 100
    limits.bodyBytes = 400
    limits.bodyWindow = 64
    limits.messageBytes = 300
    limits.messageFragments = 6
    limits.highWater = 300
    limits.sendBuffer = 1500
    return limits
  }()

  init() {
    do {
      loop = try EventLoop(clock: { [clock] in clock.now * 1_000_000 })
    } catch {
      preconditionFailure("\(error)")
    }
    server = Server(loop: loop, limits: Self.limits) { status, sentence, fields in
      Response(status, fields: fields, body: Array(sentence.utf8), contentType: "text/plain")
    }
    sockets = FuzzSockets(server)
    addRoutes()
  }

  // MARK: What happens

  func connect(window: Int) {
    let wire = Wire(window: window)
    guard let connection = try? server.serve(wire) else { preconditionFailure("no connection") }
    peers.append(Peer(wire: wire, connection: connection.id))
  }

  /// As the poller does it: one event a tick for each, and by identity, so what has gone hears nothing.
  func tell(_ peer: Peer, _ readiness: Readiness) {
    if readiness.isEmpty { return }
    if let index = events.firstIndex(where: { $0.source == peer.connection }) {
      events[index].readiness.formUnion(readiness)
    } else {
      events.append((peer.connection, readiness))
    }
  }

  func tick(_ count: Int = 1) {
    for _ in 0..<count {
      for event in events { loop.source(event.source)?.ready(event.readiness) }
      events = []
      loop.tick(limit: 0)
      for peer in peers { checkMemory(of: peer) }
      precondition(server.connectionCount == peers.count { !$0.wire.isClosed }, "connections are miscounted")
    }
  }

  func wait(_ milliseconds: UInt64) {
    clock.now += milliseconds
    tick()
  }

  /// Gives what the application holds back for that peer: an answer, work that is done, reading that was paused.
  func release(_ peer: Peer) {
    held.answer(peer.connection)
    sockets.release(peer.connection)
  }

  // MARK: What must hold

  /// What one peer can make the server hold is bounded, whatever it does and however little it takes.
  private func checkMemory(of peer: Peer) {
    guard let connection = loop.source(peer.connection) as? Connection else { return }
    let limits = Self.limits
    let answer = 4096
    precondition(connection.unsentBytes <= limits.sendBuffer + limits.highWater + answer, "unsent bytes")
    precondition(connection.firstPiece == Outbox.none, "the tick has ended, and something was not flushed")
    guard let exchange = connection.exchange else { return }
    precondition(exchange.body.count <= limits.bodyBytes, "a body")
    precondition(exchange.intake?.count ?? 0 <= limits.bodyWindow + FuzzStep.longestArrival, "a pulled body")
  }

  /// Nothing stalls: with room for everything and nothing held back, all that has come is read, and answered.
  func settle() {
    var idleRounds = 0
    while idleRounds < 3 {
      let before = progress
      for peer in peers {
        tell(peer, peer.wire.widen(to: 1 << 20))
        release(peer)
      }
      tick(8)
      idleRounds = progress == before ? idleRounds + 1 : 0
    }
    for peer in peers where !peer.wire.isClosed {
      let connection = loop.source(peer.connection) as? Connection
      precondition(peer.wire.unread == 0, "what came is not read in state \(connection?.state as Any)")
      precondition(connection?.unsentBytes == 0 && connection?.state != .answering, "it is not answered")
    }
  }

  /// Changes as long as anything is read or sent.
  private var progress: [Int] {
    peers.map { peer in
      let inbox = (loop.source(peer.connection) as? Connection)?.inbox.count ?? -1
      return peer.wire.received.count - peer.wire.unread - inbox
    }
  }

  /// Every connection ends, and every WebSocket that was opened is closed once.
  func end() {
    for peer in peers { tell(peer, peer.wire.end()) }
    tick(8)
    for _ in 0..<6 { wait(200_000) }
    precondition(server.connectionCount == 0 && peers.allSatisfy { $0.wire.isClosed }, "a connection stays")
    precondition(server.closeCounts.reduce(0, +) == UInt64(peers.count), "each is counted for one reason")
    sockets.checkAllClosed()
  }
}
