import Reactor

/// Rooms in which one member after another writes, and everybody hears it. Connection c is a member of room c / size.
///
/// A member must see each message of its room once: those of others as events in ascending `seq`, its own by their
/// acknowledgement. So a `seq` that does not grow is a double, and what is missing is what the counts differ by.
final class FanoutLoad: Load, MessageLoad {
  private struct Room {
    var template: SendTemplate
    /// Who writes next, counted within the room.
    var nextSender = 0
    var sent = 0
    var acknowledged = 0
    /// The `seq` before the first message of this load, and the greatest one acknowledged.
    let firstSeq: Int
    var lastSeq: Int
  }

  private struct Member {
    /// The greatest `seq` heard.
    var seq: Int
    var delivered = 0
    var acknowledged = 0
  }

  private struct Sent {
    /// When it should have been sent.
    let intended: UInt64
    let sender: Int32
  }

  struct Counts {
    var sent = 0
    var acknowledged = 0
    var delivered = 0
    var doubles = 0
    /// Answers `error`; acknowledgements of nothing, or at the wrong socket; events that are not understood.
    var errors = 0
  }

  let roomSize: Int
  private var rooms: [Room]
  private var members: [Member]
  private var messages: [Sent] = []
  /// Of so many messages of a room, the deliveries of one are timed.
  private let sample: Int
  private let isClosedLoop: Bool
  private var isSending = false
  private var nextRoom = 0
  private(set) var counts = Counts()
  private var untilAcknowledged = Latency()
  private var untilDelivered = Latency()
  private var firstError: String?

  init(
    _ target: Target, conversations: [Conversations.Made], roomSize: Int, textBytes: Int, sample: Int,
    isClosedLoop: Bool
  ) throws {
    let run = SendTemplate.newRun()
    rooms = conversations.map {
      Room(
        template: SendTemplate(conversation: $0.id, run: run, textBytes: textBytes), firstSeq: $0.lastSeq,
        lastSeq: $0.lastSeq)
    }
    members = target.accounts.indices.map { Member(seq: conversations[$0 / roomSize].lastSeq) }
    self.roomSize = roomSize
    self.sample = sample
    self.isClosedLoop = isClosedLoop
    messages.reserveCapacity(1 << 22)
    try super.init(target)
  }

  // MARK: Sending

  /// Closed loop: every room has `depth` messages under way.
  func startAll(depth: Int) {
    isSending = true
    for _ in 0..<depth { for room in rooms.indices { send(in: room, intended: Clock.now) } }
  }

  /// Open loop: in the room whose turn it is.
  func sendNext(intended: UInt64) {
    send(in: nextRoom, intended: intended)
    nextRoom = nextRoom + 1 == rooms.count ? 0 : nextRoom + 1
  }

  func stopSending() { isSending = false }

  private func send(in room: Int, intended: UInt64) {
    let number = messages.count
    let sender = room * roomSize + rooms[room].nextSender
    rooms[room].nextSender = rooms[room].nextSender + 1 == roomSize ? 0 : rooms[room].nextSender + 1
    rooms[room].sent += 1
    counts.sent += 1
    messages.append(Sent(intended: intended, sender: Int32(sender)))
    rooms[room].template.withBytes(of: number) { client.send(text: $0, to: sockets[sender]) }
  }

  // MARK: Measuring

  /// The latencies from now on; what was sent before and arrives later counts, too.
  func resetLatencies() {
    untilAcknowledged.reset()
    untilDelivered.reset()
  }

  var isComplete: Bool {
    counts.acknowledged == counts.sent && counts.delivered == counts.acknowledged * (roomSize - 1)
  }

  /// Deliveries of acknowledged messages that did not come, member by member.
  private var missingDeliveries: Int {
    members.indices.reduce(0) { missing, member in
      let others = rooms[member / roomSize].acknowledged - members[member].acknowledged
      return missing + abs(others - members[member].delivered)
    }
  }

  /// Rooms whose acknowledged messages do not have the `seq` that follow each other.
  private var roomsWithGaps: Int { rooms.count { $0.lastSeq - $0.firstSeq != $0.acknowledged } }

  func addLatencies(to report: inout Report) {
    report.add("ack", untilAcknowledged)
    report.add("delivery", untilDelivered)
  }

  func addCounts(to report: inout Report) {
    report.add("sent", counts.sent)
    report.messages = (counts.acknowledged, counts.delivered)
    report.add("delivered", counts.delivered)
    report.add("missing_acks", counts.sent - counts.acknowledged)
    report.add("missing_deliveries", missingDeliveries)
    report.add("doubles", counts.doubles)
    report.require(firstError == nil, "the server answered \(firstError ?? "")")
    report.require(closedCount == 0, "\(closedCount) connections were closed")
    report.require(counts.doubles == 0, "messages came twice, or out of order")
    report.require(isComplete && missingDeliveries == 0, "acknowledgements or deliveries are missing")
    report.require(counts.errors == 0, "messages came where they do not belong")
    report.require(roomsWithGaps == 0, "seq has gaps in \(roomsWithGaps) rooms")
  }

  let unit = MeasuredUnit.delivery
  override var doneCount: Int { counts.delivered }
  override var errorCount: Int { counts.errors + counts.doubles + closedCount }
  override func takeRecentLatency() -> (p50: Double, p99: Double)? { untilDelivered.takeRecent() }

  // MARK: Receiving

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: #"{"type":"message""#) {
      delivered(bytes, at: connection)
    } else if bytes.starts(with: #"{"type":"ok""#) {
      acknowledged(bytes, at: connection)
    } else if bytes.starts(with: #"{"type":"error""#) {
      counts.errors += 1
      if firstError == nil { firstError = String(decoding: bytes, as: UTF8.self) }
    }
  }

  private func acknowledged(_ bytes: UnsafeRawBufferPointer, at connection: Int) {
    guard let answer = SendAnswer(bytes), answer.number < messages.count,
      Int(messages[answer.number].sender) == connection
    else { return misfit() }
    let room = connection / roomSize
    rooms[room].acknowledged += 1
    rooms[room].lastSeq = max(rooms[room].lastSeq, answer.seq)
    members[connection].acknowledged += 1
    counts.acknowledged += 1
    let now = Clock.now
    untilAcknowledged.record(now - messages[answer.number].intended)
    if isClosedLoop && isSending { send(in: room, intended: now) }
  }

  private func delivered(_ bytes: UnsafeRawBufferPointer, at connection: Int) {
    guard let event = MessageEvent(bytes) else { return misfit() }
    guard event.seq > members[connection].seq else {
      counts.doubles += 1
      return
    }
    members[connection].seq = event.seq
    members[connection].delivered += 1
    counts.delivered += 1
    if event.seq % sample == 0 { time(event, at: connection) }
  }

  private func misfit() { counts.errors += 1 }

  private func time(_ event: MessageEvent, at connection: Int) {
    guard let number = event.number, number < messages.count,
      case let sender = Int(messages[number].sender), sender != connection,
      sender / roomSize == connection / roomSize
    else { return misfit() }
    untilDelivered.record(Clock.now - messages[number].intended)
  }
}
