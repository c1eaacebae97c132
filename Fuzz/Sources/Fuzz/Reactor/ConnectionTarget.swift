@testable import Reactor

/// One connection, from its first byte to its last, over HTTP and WebSocket: any chunking gets the same answers. The
/// bytes are what the peer sends.
enum ConnectionTarget: FuzzTarget {
  static func run(_ bytes: UnsafeRawBufferPointer) {
    let seen = cuts(of: bytes).map { transcript(of: bytes, $0) }
    precondition(seen.allSatisfy { $0 == seen[0] }, "the cuts make a difference: \(seen)")
  }

  private static func transcript(of bytes: UnsafeRawBufferPointer, _ cuts: [Int]) -> Transcript {
    let server = FuzzServer()
    server.connect(window: 1 << 20)
    let peer = server.peers[0]
    var start = 0
    for end in cuts {
      server.tell(peer, peer.wire.arrive(Array(bytes[start..<end])))
      server.tick()
      start = end
    }
    server.settle()
    server.end()
    // A client whose body is there already is not told to go on.
    return Transcript(peer.wire, keepsContinue: false)
  }
}
