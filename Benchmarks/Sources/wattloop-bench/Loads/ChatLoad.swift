import Reactor

/// Users in pairs who write to each other. Every message has a number; its acknowledgement is awaited at the
/// sender's socket and its delivery at the other's.
final class ChatLoad: Load, MessageLoad {
  private struct Sent {
    /// When it should have been sent: by the schedule, or by the sender in a closed loop.
    let intended: UInt64
    let sender: Int32
    var isAcknowledged = false
    var isDelivered = false
  }

  struct Counts {
    var sent = 0
    var acknowledged = 0
    var delivered = 0
    /// Answers `error`; acknowledgements and deliveries twice, of nothing, or at the wrong socket.
    var errors = 0
  }

  /// By sender.
  private var templates: [SendTemplate]
  /// Sender s has connection s × `spacing`; the others are silent.
  private let spacing: Int
  private var messages: [Sent] = []
  private let isClosedLoop: Bool
  private var isSending = false
  private var nextSender = 0
  private(set) var counts = Counts()
  private(set) var untilAcknowledged = Latency()
  private(set) var untilDelivered = Latency()
  /// What the server said with the first `error`.
  private(set) var firstError: String?

  /// - Parameter conversations: one for each pair of senders.
  init(
    _ target: Target, conversations: [String], spacing: Int = 1, textBytes: Int, isClosedLoop: Bool
  ) throws {
    let run = SendTemplate.newRun()
    templates = (0..<2 * conversations.count).map {
      SendTemplate(conversation: conversations[$0 / 2], run: run, textBytes: textBytes)
    }
    self.spacing = spacing
    self.isClosedLoop = isClosedLoop
    // Room for a minute of any rate: to move the array would hold up what arrives meanwhile.
    messages.reserveCapacity(1 << 22)
    try super.init(target)
  }

  // MARK: Sending

  /// Closed loop: every sender has `depth` messages under way.
  func startAll(depth: Int) {
    isSending = true
    for _ in 0..<depth {
      for sender in templates.indices { send(from: sender, intended: Clock.now) }
    }
  }

  /// Open loop: whoever is next sends.
  func sendNext(intended: UInt64) {
    send(from: nextSender, intended: intended)
    nextSender = nextSender + 1 == templates.count ? 0 : nextSender + 1
  }

  func stopSending() { isSending = false }

  private func send(from sender: Int, intended: UInt64) {
    let number = messages.count
    messages.append(Sent(intended: intended, sender: Int32(sender)))
    counts.sent += 1
    templates[sender].withBytes(of: number) { client.send(text: $0, to: sockets[sender * spacing]) }
  }

  // MARK: Measuring

  /// The latencies from now on; what was sent before and arrives later counts, too.
  func resetLatencies() {
    untilAcknowledged.reset()
    untilDelivered.reset()
  }

  var isComplete: Bool { counts.acknowledged == counts.sent && counts.delivered == counts.sent }

  let unit = MeasuredUnit.message
  override var doneCount: Int { counts.acknowledged }
  override var errorCount: Int { counts.errors + closedCount }
  override func takeRecentLatency() -> (p50: Double, p99: Double)? { untilAcknowledged.takeRecent() }

  func addLatencies(to report: inout Report) {
    report.add("ack", untilAcknowledged)
    report.add("delivery", untilDelivered)
  }

  func addCounts(to report: inout Report) {
    report.add("sent", counts.sent)
    report.messages = (counts.acknowledged, counts.delivered)
    report.add("acknowledged", counts.acknowledged)
    report.add("delivered", counts.delivered)
    report.add("missing_acks", counts.sent - counts.acknowledged)
    report.add("missing_deliveries", counts.sent - counts.delivered)
    report.require(firstError == nil, "the server answered \(firstError ?? "")")
    report.require(isComplete, "acknowledgements or deliveries are missing")
    report.require(counts.errors == 0, "messages came twice, or where they do not belong")
    report.require(closedCount == 0, "\(closedCount) connections were closed")
  }

  // MARK: Receiving

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    let sender = connection % spacing == 0 ? connection / spacing : -1
    if bytes.starts(with: #"{"type":"ok""#) {
      acknowledged(SendAnswer(bytes)?.number, at: sender)
    } else if bytes.starts(with: #"{"type":"message""#) {
      delivered(MessageEvent(bytes)?.number, at: sender)
    } else if bytes.starts(with: #"{"type":"error""#) {
      counts.errors += 1
      if firstError == nil { firstError = String(decoding: bytes, as: UTF8.self) }
    }
  }

  private func acknowledged(_ number: Int?, at sender: Int) {
    guard let number, number < messages.count, !messages[number].isAcknowledged,
      Int(messages[number].sender) == sender
    else {
      counts.errors += 1
      return
    }
    messages[number].isAcknowledged = true
    counts.acknowledged += 1
    let now = Clock.now
    untilAcknowledged.record(now - messages[number].intended)
    if isClosedLoop && isSending { send(from: sender, intended: now) }
  }

  /// The other of a pair differs in the lowest bit.
  private func delivered(_ number: Int?, at sender: Int) {
    guard let number, number < messages.count, !messages[number].isDelivered,
      Int(messages[number].sender) == sender ^ 1
    else {
      counts.errors += 1
      return
    }
    messages[number].isDelivered = true
    counts.delivered += 1
    untilDelivered.record(Clock.now - messages[number].intended)
  }
}
