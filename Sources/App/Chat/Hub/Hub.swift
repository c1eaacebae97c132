import Reactor

/// The middle of the chat, on the loop: takes in what is to be written, hands it to the writer in batches, and when it is
/// on disk tells everybody. Nobody sees a message that a crash could take back, because nothing is told before.
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

  let server: Server
  let limits: Limits
  private let submit: (PublishBatch) -> Bool

  var sessions = Sessions()
  /// The last position of the store whose event has been sent.
  var position: Int64
  let epoch: String
  var ring: EventRing
  /// The last time that each user was removed from a conversation, as far as the ring reaches back.
  private(set) var removals: [Int64: Int64] = [:]
  var rates = SendRates()
  var typing = TypingMarks()
  var metrics = ChatMetrics()
  lazy var typingTimer = LoopTimer { [unowned self] in endTyping() }
  /// Set by `serve`.
  private(set) var resumptions: Resumptions?
  private(set) var presence: Presence?
  private(set) var watches: DeviceWatches?
  private(set) var rooms: Rooms?
  /// Is told how many messages have been stored.
  var stored: (Int) -> Void = { _ in }

  private var filling = PublishBatch()
  private var spare: PublishBatch? = PublishBatch()
  /// This tick has brought requests whose parsing is still to be timed.
  private var isParsing = false
  /// When this tick's batch had been told.
  private var told: UInt64?
  var encoder = ChatEncoder()
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
    ring = EventRing(after: position)
  }

  /// Gives it what looks into the store for those who are connected.
  func serve(from store: Store, readers: WorkerQueue, watched: WatchedDevices) throws(SystemError) {
    let resumptions = Resumptions(hub: self, store: store, readers: readers, server: server)
    let presence = Presence(hub: self, store: store, readers: readers, loop: server.loop)
    try resumptions.start()
    try presence.start()
    try server.loop.add(typingTimer)
    self.resumptions = resumptions
    self.presence = presence
    watches = DeviceWatches(
      hub: self, store: store, readers: readers, mailbox: server.loop.mailbox, watched: watched)
    rooms = Rooms(store: store, readers: readers, mailbox: server.loop.mailbox)
  }

  /// What a user was told before it was removed somewhere may not be its own to see any more: from before that, it is
  /// served by the store, which looks.
  func noticeRemoval(of user: Int64, at position: Int64) {
    removals[user] = position
    if removals.count >= 10_000 { removals = removals.filter { $0.value > ring.start } }
  }

  // MARK: In

  /// Takes something to be written; nil if it will be answered after its commit.
  /// - Parameters:
  ///   - isCounted: whether it takes one from the sender's rate.
  ///   - fill: copies the message's text into the batch and makes its entry.
  func publish(
    sender: Int64, isCounted: Bool = true, _ fill: (PublishBatch) -> PublishBatch.Entry
  ) -> Problem? {
    if isDraining { return Problem(.busy, detail: "The server is stopping.", retryAfterMilliseconds: 2000) }
    guard filling.entries.count < limits.waitingMessages, filling.bytes.count < limits.waitingBytes else {
      return Problem(.busy, detail: "The write queue is full.", retryAfterMilliseconds: 250)
    }
    if isCounted, let wait = spend(sender) { return wait }
    isParsing = true
    let entry = fill(filling)
    filling.entries.append(entry)
    metrics.take(entry)
    return nil
  }

  /// Takes one from the user's rate, or says when there will be one.
  func spend(_ user: Int64) -> Problem? {
    guard let rate = limits.sendRate, let wait = rates.spend(user, rate: rate, now: server.loop.now) else {
      return nil
    }
    return Problem(.rateLimited, retryAfterMilliseconds: Int(wait))
  }

  /// At the end of each tick, before anything is sent: one reading of the clock serves all requests of the tick.
  func noticeParsed(at time: UInt64? = nil) {
    guard isParsing else { return }
    isParsing = false
    let now = time ?? server.loop.nanoseconds()
    metrics.noticeParsed(from: server.loop.tickStart, to: now)
    if filling.times.opened == 0 { filling.times.opened = now }
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
    let arrived = server.loop.nanoseconds()
    // What has come in this tick was read before its letters.
    noticeParsed(at: arrived)
    // One time for all of them: they leave together.
    let now = Timestamp.now()
    var messages = 0
    for entry in batch.entries {
      metrics.end(entry)
      batch.bytes.withUnsafeBytes { bytes in
        let text = PublishedText(entry, in: bytes)
        answer(entry, text, batch.times, at: now)
        guard entry.outcome == .stored, let members = entry.members else { return }
        var origin: WebSocketID?
        if case .socket(let socket, _) = entry.origin { origin = socket }
        if let effect = entry.effect { return tell(effect, members, except: origin) }
        messages += 1
        endTyping(entry.sender, in: entry.conversation, members)
        rooms?.keep(members, of: entry.conversation)
        tell(StoredMessage(entry, text), members, except: origin)
      }
    }
    let told = server.loop.nanoseconds()
    metrics.noticeBatch(batch.times, arrived: arrived, told: told)
    self.told = told
    batch.clear()
    spare = batch
    if messages > 0 { stored(messages) }
    if isDraining && filling.entries.isEmpty { endDrain() }
  }

  /// At the end of each tick, after everything was sent.
  func noticeWritten() {
    guard let told else { return }
    self.told = nil
    metrics.noticeWritten(from: told, to: server.loop.nanoseconds())
  }

  private func answer(
    _ entry: PublishBatch.Entry, _ text: PublishedText, _ times: WriterTimes, at now: Timestamp
  ) {
    switch entry.origin {
    case .socket(let socket, _): server.send(text: encoder.answer(entry, text, at: now), to: socket)
    case .rest(let responder, let taken):
      var response = encoder.response(entry, text)
      if taken != 0 { response.fields.append(WriterWait(times, from: taken).field) }
      responder.answer(response)
    case .nobody: break
    }
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
