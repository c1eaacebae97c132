import Reactor

/// Rooms of a server that sends each message to every member of its sender's room. One member of each writes: `depth` of its
/// messages are under way, and each that comes back sends the next.
final class BroadcastLoad: Load {
  private let roomSize: Int
  private let depth: Int
  private let payload: [UInt8]
  private var isSending = true
  private var sent: [Int]
  /// By connection.
  private var received: [Int]
  private(set) var deliveries = 0
  /// Messages of another length.
  private(set) var wrong = 0

  /// - Parameter target: has the size of its rooms.
  init(_ target: Target, rooms: Int, depth: Int, bytes: Int) throws {
    roomSize = target.roomSize ?? 1
    self.depth = depth
    payload = (0..<bytes).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    sent = Array(repeating: 0, count: rooms)
    received = Array(repeating: 0, count: rooms * roomSize)
    try super.init(target)
  }

  func start() { for room in sent.indices { for _ in 0..<depth { send(in: room) } } }

  func stopSending() { isSending = false }

  /// What has not reached a member, or reached it twice.
  var missing: Int { received.indices.reduce(0) { $0 + abs(sent[$1 / roomSize] - received[$1]) } }

  func addFindings(to report: inout Report) {
    report.add("missing_deliveries", missing)
    report.add("errors", errorCount)
    report.require(closedCount == 0, "\(closedCount) connections were closed")
    report.require(wrong == 0, "\(wrong) messages were wrong")
    report.require(missing == 0, "\(missing) deliveries are missing")
  }

  override var doneCount: Int { deliveries }
  override var errorCount: Int { wrong + closedCount }

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.count != payload.count { wrong += 1 }
    received[connection] += 1
    deliveries += 1
    if connection % roomSize == 0, isSending { send(in: connection / roomSize) }
  }

  private func send(in room: Int) {
    sent[room] += 1
    payload.withUnsafeBytes { client.send(text: $0, to: sockets[room * roomSize]) }
  }
}
