import Reactor

/// The middle of the chat, on the loop: takes messages in, hands them to the writer in batches, and when they are on
/// disk tells everybody. Nobody sees a message that a crash could take back, because nothing is told before.
///
/// One batch is with the writer at a time, and what comes meanwhile is the next: the slower the disk, the larger the
/// batch. What waits is bounded, and beyond that a sender hears `busy`.
final class Hub {
  struct Limits {
    var waitingMessages = 20_000
    var waitingBytes = 16 * 1024 * 1024
    /// Messages a second of one user; nil for no limit.
    var sendRate: Int?
  }

  private let server: Server
  let limits: Limits
  private let submit: (PublishBatch) -> Bool

  var sessions = Sessions()
  /// The last position of the store whose event has been sent.
  private(set) var position: Int64
  let epoch: String

  private var filling = PublishBatch()
  private var spare: PublishBatch? = PublishBatch()
  private var encoder = ChatEncoder()
  private var isDraining = false
  private var drained: (() -> Void)?

  /// - Parameter submit: gives a batch to the writer, which brings it back to `didCommit`; false if it cannot now.
  init(
    server: Server, epoch: String, position: Int64, limits: Limits, submit: @escaping (PublishBatch) -> Bool
  ) {
    self.server = server
    self.epoch = epoch
    self.position = position
    self.limits = limits
    self.submit = submit
  }

  // MARK: In

  /// Takes a message to be stored; nil if it will be answered after its commit.
  /// - Parameter fill: copies the message's text into the batch and makes its entry.
  func publish(sender: Int64, _ fill: (PublishBatch) -> PublishBatch.Entry) -> Problem? {
    if isDraining { return Problem(.busy, detail: "The server is stopping.", retryAfterMilliseconds: 2000) }
    guard filling.entries.count < limits.waitingMessages, filling.bytes.count < limits.waitingBytes else {
      return Problem(.busy, detail: "The write queue is full.", retryAfterMilliseconds: 250)
    }
    if let rate = limits.sendRate, let wait = sessions.spend(sender, rate: rate, now: server.loop.now) {
      return Problem(.rateLimited, retryAfterMilliseconds: Int(wait))
    }
    filling.entries.append(fill(filling))
    return nil
  }

  /// At the end of each tick: hands over what has gathered, if the writer has brought the last batch back.
  func handOver() {
    guard !filling.entries.isEmpty, let next = spare else { return }
    guard submit(filling) else { return }
    spare = nil
    filling = next
  }

  // MARK: Out

  /// The batch has been committed, or has failed. Answers each sender, then tells the members.
  func didCommit(_ batch: PublishBatch) {
    for entry in batch.entries {
      batch.bytes.withUnsafeBytes { answer(entry, PublishedText(entry, in: $0)) }
      if entry.outcome == .stored {
        position = entry.position
        batch.bytes.withUnsafeBytes { tell(entry, PublishedText(entry, in: $0)) }
      }
    }
    batch.clear()
    spare = batch
    if isDraining && filling.entries.isEmpty { endDrain() }
  }

  private func answer(_ entry: PublishBatch.Entry, _ text: PublishedText) {
    switch entry.origin {
    case .socket(let socket, _): server.send(text: encoder.answer(entry, text), to: socket)
    case .rest(let responder): responder.answer(encoder.response(entry, text))
    }
  }

  /// Encodes the event once for all, and once more with the key for the sender's own sessions if there are others.
  private func tell(_ entry: PublishBatch.Entry, _ text: PublishedText) {
    guard let members = entry.members else { return }
    var origin: WebSocketID?
    if case .socket(let socket, _) = entry.origin { origin = socket }
    var shared: WebSocketFrame?
    var own: WebSocketFrame?
    for user in members.users {
      sessions.forEach(of: user) { socket in
        if socket == origin { return }
        let isOwn = user == entry.sender
        let frame =
          (isOwn ? own : shared) ?? server.frame(text: encoder.message(entry, text, withKey: isOwn))
        if isOwn { own = frame } else { shared = frame }
        server.send(frame, to: socket)
      }
    }
  }

  /// The server has said something, and it is on disk.
  func tell(_ message: SystemMessage) {
    position = message.position
    var frame: WebSocketFrame?
    for user in message.members.users {
      sessions.forEach(of: user) { socket in
        let shared = frame ?? server.frame(text: encoder.message(message))
        frame = shared
        server.send(shared, to: socket)
      }
    }
  }

  /// Something has happened to an alert.
  func tell(_ event: AlertEvent) {
    position = event.position
    let frame = server.frame(text: encoder.alert(event))
    for user in event.recipients { sessions.forEach(of: user) { server.send(frame, to: $0) } }
  }

  // MARK: Dead tokens

  /// Closes the sockets of a user, or those of one session alone.
  func close(_ user: Int64, session: Int64? = nil, _ code: CloseCode, _ reason: String) {
    // Gathered first, for each that closes leaves the chain.
    var dead: [WebSocketID] = []
    sessions.forEach(of: user) { socket in
      if session == nil || sessions[socket]?.tokenSession == session { dead.append(socket) }
    }
    for socket in dead { server.close(socket, code, reason) }
  }

  // MARK: The end

  /// Takes no more messages, tells all clients to go, and calls `completed` when all that was taken is answered.
  func drain(_ completed: @escaping () -> Void) {
    guard !isDraining else { return }
    isDraining = true
    drained = completed
    sessions.forEachSocket { socket in
      // Spread over some seconds, so that the next server does not meet all of them at once.
      let delay = 500 + UInt64.random(in: 0..<UInt64(1000 + 5 * min(sessions.count, 10_000)))
      server.send(text: encoder.goAway("shutdown", reconnectAfterMilliseconds: delay), to: socket)
    }
    if spare != nil && filling.entries.isEmpty { endDrain() }
  }

  private func endDrain() {
    drained?()
    drained = nil
  }
}

/// A published message's text, where it lies in its batch.
struct PublishedText {
  let id: UnsafeRawBufferPointer
  let key: UnsafeRawBufferPointer
  let text: UnsafeRawBufferPointer

  init(_ entry: PublishBatch.Entry, in bytes: UnsafeRawBufferPointer) {
    func slice(_ range: ByteRange) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: bytes[range.range])
    }
    if case .socket(_, let id) = entry.origin { self.id = slice(id) } else { id = slice(.empty) }
    key = slice(entry.key)
    text = slice(entry.text)
  }
}
