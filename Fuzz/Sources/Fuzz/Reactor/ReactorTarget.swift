@testable import Reactor

/// The whole reactor between a network and a clock that the input decides: connections, routes and WebSockets, with
/// peers that send anything in any pieces, take little, end or reset, and time-outs that pass.
///
/// Never a trap or a leak; bounded memory; nothing stalls; each socket is closed once (`FuzzServer`, `FuzzSockets`,
/// `Wire`). And no byte reaches another connection: each peer alone sees what it sees among the others.
enum ReactorTarget: FuzzTarget {
  static func run(_ bytes: UnsafeRawBufferPointer) {
    let steps = FuzzStep.read(bytes)
    let together = transcripts(of: steps)
    guard together.count > 1 else { return }
    for (peer, seen) in together.enumerated() {
      let alone = transcripts(of: steps, onlyOf: peer)[peer]
      precondition(seen == alone, "peer \(peer) among others: \(seen), alone: \(alone)")
    }
  }

  /// - Parameter only: the one peer that does anything; the others are there, and time passes as with them.
  private static func transcripts(of steps: [FuzzStep], onlyOf only: Int? = nil) -> [Transcript] {
    let server = FuzzServer()
    for step in steps {
      if let only, let peer = step.peer, peer != only {
        if peer < server.peers.count { server.tick(step.ticks) }
      } else {
        take(step, server)
      }
    }
    server.settle()
    server.end()
    return server.peers.map { Transcript($0.wire) }
  }

  private static func take(_ step: FuzzStep, _ server: FuzzServer) {
    switch step {
    case .connect(let window): if server.peers.count < FuzzStep.peers { server.connect(window: window) }
    case .tick: server.tick()
    case .wait(let milliseconds): server.wait(milliseconds)
    case .drain:
      server.server.drain(within: 20_000) {}
      server.server.closeWebSockets()
    case .arrive, .widen, .end, .reset, .release, .push, .close, .wake:
      guard let peer = step.peer, peer < server.peers.count else { return }
      take(step, server, server.peers[peer])
    }
  }

  private static func take(_ step: FuzzStep, _ server: FuzzServer, _ peer: FuzzServer.Peer) {
    let socket = WebSocketID(peer.connection)
    switch step {
    case .arrive(_, let bytes, let piece): arrive(bytes, piece, server, peer)
    case .widen(_, let room): server.tell(peer, peer.wire.widen(to: room))
    case .end: server.tell(peer, peer.wire.end())
    case .reset: server.tell(peer, peer.wire.reset())
    case .release: server.release(peer)
    case .push: server.sockets.send("pushed", to: socket)
    case .close: server.server.close(socket, .goingAway, "pushed out")
    case .wake: server.tell(peer, [.readable, .writable])
    case .connect, .tick, .wait, .drain: break
    }
  }

  private static func arrive(_ bytes: [UInt8], _ piece: Int, _ server: FuzzServer, _ peer: FuzzServer.Peer) {
    guard piece > 0 else { return server.tell(peer, peer.wire.arrive(bytes)) }
    for start in stride(from: 0, to: bytes.count, by: piece) {
      server.tell(peer, peer.wire.arrive(Array(bytes[start..<min(start + piece, bytes.count)])))
      server.tick()
    }
  }
}
