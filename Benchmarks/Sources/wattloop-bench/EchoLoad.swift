import Reactor

/// Each connection has `depth` messages under way; each answer sends the next.
final class EchoLoad: Load {
  private let depth: Int
  private let payload: [UInt8]
  /// When the messages under way were sent: a ring of `depth` for each connection. Answers come in order.
  private var sent: [UInt64] = []
  private var oldest: [Int] = []
  private(set) var roundTrip = Latency()
  private(set) var messages = 0
  /// Answers of another length.
  private(set) var wrong = 0

  init(_ target: Target, depth: Int, bytes: Int) throws {
    self.depth = depth
    payload = (0..<bytes).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    try super.init(target)
  }

  func start() {
    let now = Clock.now
    sent = Array(repeating: now, count: sockets.count * depth)
    oldest = Array(repeating: 0, count: sockets.count)
    for socket in sockets { for _ in 0..<depth { send(to: socket) } }
  }

  func resetCounts() {
    messages = 0
    roundTrip.reset()
  }

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.count != payload.count { wrong += 1 }
    let now = Clock.now
    let place = connection * depth + oldest[connection]
    roundTrip.record(now - sent[place])
    sent[place] = now
    oldest[connection] = oldest[connection] + 1 == depth ? 0 : oldest[connection] + 1
    messages += 1
    send(to: sockets[connection])
  }

  private func send(to socket: SourceID) { payload.withUnsafeBytes { client.send(text: $0, to: socket) } }
}
