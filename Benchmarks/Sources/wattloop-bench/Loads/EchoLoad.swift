import Reactor

/// Messages to a server that sends each back as it came.
final class EchoLoad: Load, MessageLoad {
  private let payload: [UInt8]
  private let isClosedLoop: Bool
  private var isSending = true
  /// When what is under way should have been sent, by connection.
  private var underWay: [TimeQueue] = []
  private var nextSender = 0
  private var sent = 0
  private var answered = 0
  /// Answers of another length, or to nothing.
  private var wrong = 0
  private var roundTrip = Latency()

  init(_ target: Target, bytes: Int, isClosedLoop: Bool) throws {
    payload = (0..<bytes).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    self.isClosedLoop = isClosedLoop
    try super.init(target)
  }

  override func open(_ count: Int, rate: Double? = nil, window: Int = opening) throws {
    underWay = Array(repeating: TimeQueue(capacity: 1), count: count)
    try super.open(count, rate: rate, window: window)
  }

  func startAll(depth: Int) {
    for connection in sockets.indices {
      for _ in 0..<depth { send(on: connection, intended: Clock.now) }
    }
  }

  func sendNext(intended: UInt64) {
    send(on: nextSender, intended: intended)
    nextSender = nextSender + 1 == sockets.count ? 0 : nextSender + 1
  }

  func stopSending() { isSending = false }

  private func send(on connection: Int, intended: UInt64) {
    underWay[connection].append(intended)
    sent += 1
    payload.withUnsafeBytes { client.send(text: $0, to: sockets[connection]) }
  }

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == payload.count, let intended = underWay[connection].popFirst() else {
      wrong += 1
      return
    }
    let now = Clock.now
    roundTrip.record(now - intended)
    answered += 1
    if isClosedLoop && isSending { send(on: connection, intended: now) }
  }

  // MARK: Measuring

  var isComplete: Bool { answered == sent }
  func resetLatencies() { roundTrip.reset() }
  let unit = MeasuredUnit.message
  override var doneCount: Int { answered }
  override var errorCount: Int { wrong + closedCount }
  override func takeRecentLatency() -> (p50: Double, p99: Double)? { roundTrip.takeRecent() }

  func addLatencies(to report: inout Report) { report.add("round_trip", roundTrip) }

  func addCounts(to report: inout Report) {
    report.add("sent", sent)
    report.add("missing", sent - answered)
    report.require(closedCount == 0, "\(closedCount) connections were closed")
    report.require(wrong == 0, "\(wrong) answers were wrong")
    report.require(isComplete, "\(sent - answered) answers are missing")
  }
}
