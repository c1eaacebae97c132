import Reactor

/// Very many connections, nearly all of them silent. Spread evenly among them are pairs who write to each other; each message is awaited
/// at both ends, and is a fault anywhere else.
final class MillionLoad: Load {
  private struct Sent {
    /// When it should have been sent, by the schedule.
    let intended: UInt64
    let talker: Int32
    var isAcknowledged = false
    var isDelivered = false
  }

  struct Counts {
    var sent = 0
    var acknowledged = 0
    var delivered = 0
    /// Acknowledgements and deliveries that came a second time.
    var doubles = 0
    /// Answers `error`, and what came to the wrong connection or is not understood.
    var errors = 0
  }

  /// Which connections are those of talkers: talker t has connection t × `spacing`.
  struct Talkers {
    let count: Int
    let spacing: Int

    init(pairs: Int, among connections: Int) {
      count = 2 * pairs
      spacing = connections / count
    }

    func connection(of talker: Int) -> Int { talker * spacing }
    func at(_ connection: Int) -> Int? {
      connection % spacing == 0 && connection / spacing < count ? connection / spacing : nil
    }
  }

  /// How long the server may take until it has opened one more.
  private static let patience = 60.0

  private let talkers: Talkers
  private var templates: [SendTemplate]
  private var messages: [Sent] = []
  private var nextTalker = 0
  private(set) var counts = Counts()
  private(set) var untilAcknowledged = Latency()
  private(set) var untilDelivered = Latency()
  /// What the server said with the first `error`.
  private(set) var firstError: String?

  /// - Parameters:
  ///   - conversations: one for each pair.
  ///   - messageCount: how many will be sent: to move the array would hold up what arrives meanwhile.
  init(
    _ target: Target, _ talkers: Talkers, conversations: [String], textBytes: Int, messageCount: Int
  ) throws {
    self.talkers = talkers
    let run = SendTemplate.newRun()
    templates = (0..<talkers.count).map {
      SendTemplate(conversation: conversations[$0 / 2], run: run, textBytes: textBytes)
    }
    messages.reserveCapacity(messageCount)
    try super.init(target)
  }

  // MARK: Opening

  /// Opens connections until there are so many.
  /// - Parameter window: handshakes under way; a listener's queue must hold them.
  func open(_ count: Int, window: Int) throws {
    var told = Clock.now
    var toldCount = readyCount
    var lastCount = readyCount
    var deadline = Clock.after(Self.patience)
    while readyCount < count {
      while sockets.count < min(count, readyCount + window) { try connect(sockets.count) }
      loop.tick(limit: 100)
      if closedCount > 0 { throw Failure("a connection was refused or lost after \(readyCount) were open") }
      let now = Clock.now
      if readyCount > lastCount {
        lastCount = readyCount
        deadline = now + UInt64(Self.patience * 1e9)
      } else if now > deadline {
        throw Failure("only \(readyCount) of \(count) connections were open, and no more came")
      }
      if now > told + 10_000_000_000 {
        let rate = Double(readyCount - toldCount) / Double(now - told) * 1e9
        Progress.tell("\(readyCount) connections, \(Int(rate)) more a second")
        told = now
        toldCount = readyCount
      }
    }
  }

  // MARK: Sending

  /// Whoever is next sends.
  func sendNext(intended: UInt64) {
    let talker = nextTalker
    nextTalker = talker + 1 == talkers.count ? 0 : talker + 1
    let number = messages.count
    messages.append(Sent(intended: intended, talker: Int32(talker)))
    counts.sent += 1
    templates[talker].withBytes(of: number) {
      client.send(text: $0, to: sockets[talkers.connection(of: talker)])
    }
  }

  var isComplete: Bool { counts.acknowledged == counts.sent && counts.delivered == counts.sent }

  // MARK: Receiving

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: #"{"type":"ok""#) {
      acknowledged(SendAnswer(bytes)?.number, by: talkers.at(connection))
    } else if bytes.starts(with: #"{"type":"message""#) {
      delivered(MessageEvent(bytes)?.number, to: talkers.at(connection))
    } else if bytes.starts(with: #"{"type":"error""#) {
      counts.errors += 1
      if firstError == nil { firstError = String(decoding: bytes, as: UTF8.self) }
    }
  }

  private func acknowledged(_ number: Int?, by talker: Int?) {
    guard let number, messages.indices.contains(number), Int(messages[number].talker) == talker else {
      counts.errors += 1
      return
    }
    if messages[number].isAcknowledged {
      counts.doubles += 1
    } else {
      messages[number].isAcknowledged = true
      counts.acknowledged += 1
      untilAcknowledged.record(Clock.now - messages[number].intended)
    }
  }

  /// The other of a pair differs in the lowest bit.
  private func delivered(_ number: Int?, to talker: Int?) {
    guard let number, let talker, messages.indices.contains(number),
      Int(messages[number].talker) == talker ^ 1
    else {
      counts.errors += 1
      return
    }
    if messages[number].isDelivered {
      counts.doubles += 1
    } else {
      messages[number].isDelivered = true
      counts.delivered += 1
      untilDelivered.record(Clock.now - messages[number].intended)
    }
  }
}
