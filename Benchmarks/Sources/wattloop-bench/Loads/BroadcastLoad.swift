import Reactor

/// Rooms of a server that sends each message to every member of its sender's room. One member of each writes.
final class BroadcastLoad: Load, MessageLoad {
  private let roomSize: Int
  private let payload: [UInt8]
  private let isClosedLoop: Bool
  private var isSending = true
  private var nextRoom = 0
  private var sent: [Int]
  /// By connection.
  private var received: [Int]
  private var deliveries = 0
  /// Messages of another length.
  private var wrong = 0

  /// - Parameter target: has the size of its rooms.
  init(_ target: Target, rooms: Int, bytes: Int, isClosedLoop: Bool) throws {
    roomSize = target.roomSize ?? 1
    payload = (0..<bytes).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    self.isClosedLoop = isClosedLoop
    sent = Array(repeating: 0, count: rooms)
    received = Array(repeating: 0, count: rooms * roomSize)
    try super.init(target)
  }

  /// Closed loop: each that comes back to its writer sends the next.
  func startAll(depth: Int) { for room in sent.indices { for _ in 0..<depth { send(in: room) } } }

  /// Open loop: in the room whose turn it is. What is delivered is not timed: a message has no number.
  func sendNext(intended: UInt64) {
    send(in: nextRoom)
    nextRoom = nextRoom + 1 == sent.count ? 0 : nextRoom + 1
  }

  func stopSending() { isSending = false }

  private func send(in room: Int) {
    sent[room] += 1
    payload.withUnsafeBytes { client.send(text: $0, to: sockets[room * roomSize]) }
  }

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.count != payload.count { wrong += 1 }
    received[connection] += 1
    deliveries += 1
    if isClosedLoop, isSending, connection % roomSize == 0 { send(in: connection / roomSize) }
  }

  // MARK: Measuring

  let unit = MeasuredUnit.delivery
  /// What has not reached a member, or reached it twice.
  private var missing: Int { received.indices.reduce(0) { $0 + abs(sent[$1 / roomSize] - received[$1]) } }
  var isComplete: Bool { missing == 0 }
  override var doneCount: Int { deliveries }
  override var errorCount: Int { wrong + closedCount }

  func resetLatencies() {}
  func addLatencies(to report: inout Report) {}

  func addCounts(to report: inout Report) {
    report.add("missing_deliveries", missing)
    report.require(closedCount == 0, "\(closedCount) connections were closed")
    report.require(wrong == 0, "\(wrong) messages were wrong")
    report.require(missing == 0, "\(missing) deliveries are missing")
  }
}
