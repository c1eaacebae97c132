import DequeModule
import Reactor

/// Sockets that are not live yet: what they have missed comes first, in order, and then live traffic goes on right behind it.
///
/// ```
///  hello ─▶ held ──── first request, 500 ms, or 32 KiB ───▶ walking ──▶ live
///            └─ resume ─┬─ all of it in the ring ──────────────▲
///  live ─── resume ─────┴─ older ─▶ planning ─▶ paging ────────┘
///                                      └─ too old, too many ─▶ resync, live
/// ```
///
/// Walking reads the ring on the loop: it ends in the tick in which nothing is left, so no live event can pass by. Paging
/// reads the store on a reader, up to a position that the ring reaches behind. While a peer does not take what it is sent,
/// both wait, and what it will get waits on disk or in the ring and not in memory for it.
final class Resumptions {
  private enum Stage {
    case held(until: UInt64)
    case planning
    case paging([EventReader.Item], next: Int, through: Int64)
    case walking
  }

  private struct Resumption {
    let user: Int64
    var stage: Stage
    /// All up to here has been sent, or is not wanted.
    var position: Int64
    /// The resume that is answered at the end; nil for a socket that is only let go.
    var request: [UInt8]?
    /// A reader has a job of it.
    var isReading = false
    /// The bytes that a held socket waits for.
    var waiting = 0
  }

  /// How long a new socket may take to ask for what it has missed.
  static let hold: UInt64 = 500
  /// More events are not replayed: the present state is less.
  static let mostEvents = 10_000
  private var pageBytes: Int { 2 * server.limits.highWater }
  /// Readers' jobs at a time: a storm of clients leaves room for others.
  private static let mostReading = 32

  private unowned let hub: Hub
  private let store: Store
  private let readers: WorkerQueue
  private let server: Server
  private var resumptions: [WebSocketID: Resumption] = [:]
  /// In the order of their time.
  private var held: Deque<(socket: WebSocketID, until: UInt64)> = []
  private var waitingForReader: Deque<WebSocketID> = []
  private var reading = 0
  private lazy var timer = LoopTimer { [unowned self] in letGo() }
  private lazy var retryTimer = LoopTimer { [unowned self] in startReading() }

  init(hub: Hub, store: Store, readers: WorkerQueue, server: Server) {
    self.hub = hub
    self.store = store
    self.readers = readers
    self.server = server
  }

  func start() throws(SystemError) {
    try server.loop.add(timer)
    try server.loop.add(retryTimer)
  }

  // MARK: Coming in

  /// A new socket that has been told the hub's position: events behind it wait until it has asked for older ones.
  func hold(_ socket: WebSocketID, of user: Int64) {
    let until = server.loop.now + Self.hold
    resumptions[socket] = Resumption(user: user, stage: .held(until: until), position: hub.position)
    if held.isEmpty { server.loop.setTimer(of: timer, at: until) }
    held.append((socket, until))
  }

  /// The socket asks for something: if it has not asked for what it missed before that, it has missed nothing.
  func noticeRequest(_ socket: WebSocketID) {
    if case .held = resumptions[socket]?.stage { walk(socket) }
  }

  /// Whether there may be held sockets.
  var hasHeld: Bool { !held.isEmpty }

  /// An event has come that is for the socket. Of a held one no more waits than leaves at once: then it is live, and held to
  /// its send buffer like any other.
  func waits(_ socket: WebSocketID, _ bytes: Int) {
    guard case .held = resumptions[socket]?.stage else { return }
    resumptions[socket]?.waiting += bytes
    if let waiting = resumptions[socket]?.waiting, waiting > server.limits.highWater / 2 { walk(socket) }
  }

  func closed(_ socket: WebSocketID) { forget(socket) }

  private func forget(_ socket: WebSocketID) {
    resumptions[socket] = nil
    // What a storm has left behind is given back.
    if resumptions.isEmpty, resumptions.capacity > 1024 { resumptions = [:] }
  }

  private func letGo() {
    let now = server.loop.now
    while let first = held.first, first.until <= now {
      held.removeFirst()
      noticeRequest(first.socket)
    }
    if let next = held.first { server.loop.setTimer(of: timer, at: next.until) } else { held = [] }
  }

  /// Rewinds a socket. It is not read from until all is sent, so what it asks behind this finds it live.
  func resume(
    _ socket: WebSocketID, of user: Int64, epoch: [UInt8], position: Int64, request: [UInt8]
  ) {
    hub.sessions.setFloor(.max, of: socket)
    server.pauseReading(socket)
    resumptions[socket] = Resumption(user: user, stage: .walking, position: position, request: request)
    guard epoch.elementsEqual(hub.epoch.utf8) else { return resync(socket, .epochChanged) }
    if canWalk(from: position, user) { return walk(socket) }
    resumptions[socket]?.stage = .planning
    enqueue(socket)
  }

  /// A walk past more events of others would cost more than a look at the user's own conversations.
  private func canWalk(from position: Int64, _ user: Int64) -> Bool {
    reachesBack(to: position, user) && position <= hub.position
      && hub.ring.count(after: position) <= Self.mostEvents
  }

  private func reachesBack(to position: Int64, _ user: Int64) -> Bool {
    position >= hub.ring.start && position >= hub.removals[user] ?? 0
  }

  // MARK: The ring

  private func walk(_ socket: WebSocketID) {
    guard let resumption = resumptions[socket] else { return }
    resumptions[socket]?.stage = .walking
    // Too slow for the ring: once more from the store.
    let isNew = resumption.request == nil
    guard
      isNew ? resumption.position >= hub.ring.start : reachesBack(to: resumption.position, resumption.user)
    else {
      resumptions[socket]?.stage = .planning
      return enqueue(socket)
    }
    let left = hub.ring.visit(after: resumption.position, for: resumption.user, asToldLive: isNew) { event in
      server.send(text: event, to: socket)
      hub.metrics.replays += 1
      return !server.isBehind(socket)
    }
    if let left {
      // The last that was sent made the peer wait. `caughtUp` goes on, if the peer is still there.
      resumptions[socket]?.position = left
    } else {
      finish(socket, at: max(hub.position, resumption.position))
    }
  }

  /// The peer has taken what was sent. In the next tick: this may be the end of the present one, when all is being sent.
  func caughtUp(_ socket: WebSocketID) {
    guard let resumption = resumptions[socket] else { return }
    switch resumption.stage {
    case .held, .planning: return
    case .walking, .paging:
      let home = LoopBound(self)
      server.loop.mailbox.post { home.value.goOn(socket) }
    }
  }

  private func goOn(_ socket: WebSocketID) {
    guard let resumption = resumptions[socket], !server.isBehind(socket) else { return }
    switch resumption.stage {
    case .held, .planning: return
    case .walking: walk(socket)
    case .paging: if !resumption.isReading { enqueue(socket) }
    }
  }

  private func finish(_ socket: WebSocketID, at position: Int64) {
    guard let resumption = resumptions[socket] else { return }
    forget(socket)
    hub.sessions.setFloor(position, of: socket)
    guard let request = resumption.request else { return }
    hub.answerResume(request, at: position, socket)
    server.resumeReading(socket)
  }

  private func resync(_ socket: WebSocketID, _ reason: ResyncReason) {
    hub.tellResync(reason, socket)
    finish(socket, at: hub.position)
  }

  // MARK: The store

  private func enqueue(_ socket: WebSocketID) {
    resumptions[socket]?.isReading = true
    waitingForReader.append(socket)
    startReading()
  }

  private func startReading() {
    while reading < Self.mostReading, let socket = waitingForReader.first {
      if let resumption = resumptions[socket] {
        guard submit(resumption, socket) else { return retry() }
        reading += 1
      }
      waitingForReader.removeFirst()
    }
  }

  /// The readers' queue is full of others' work. It is looked at again when one of ours comes back, or a little later.
  private func retry() {
    if reading == 0 { server.loop.setTimer(of: retryTimer, at: server.loop.now + 50) }
  }

  private enum Read: Sendable {
    case plan(EventReader.Plan)
    case page(events: [[UInt8]], taken: Int)
  }

  private func submit(_ resumption: Resumption, _ socket: WebSocketID) -> Bool {
    let store = store
    let user = resumption.user
    let home = LoopBound(self)
    let mailbox = server.loop.mailbox
    let pageBytes = pageBytes
    let read: @Sendable () throws -> Read
    switch resumption.stage {
    case .paging(let items, let next, _):
      let slice = items[next...]
      read = {
        try store.read {
          let page = try EventReader.page(slice, for: user, bytes: pageBytes, $0)
          return .page(events: page.events, taken: page.taken)
        }
      }
    case .held, .planning, .walking:
      let position = resumption.position
      read = {
        try store.read { .plan(try EventReader.plan(for: user, after: position, limit: Self.mostEvents, $0)) }
      }
    }
    return readers.submit {
      let result = Result { try read() }
      mailbox.post { home.value.didRead(result, socket) }
    }
  }

  private func didRead(_ result: Result<Read, any Error>, _ socket: WebSocketID) {
    reading -= 1
    defer { startReading() }
    guard resumptions[socket] != nil else { return }
    resumptions[socket]?.isReading = false
    switch result {
    case .failure(let error):
      // Nothing is lost: the client comes again.
      server.close(socket, .internalError, Answer.problem(error).text)
    case .success(.plan(.resync(let reason))): resync(socket, reason)
    case .success(.plan(.events(let items, let through))):
      resumptions[socket]?.stage = .paging(items, next: 0, through: through)
      goOnPaging(socket)
    case .success(.page(let events, let taken)):
      for event in events { event.withUnsafeBytes { server.send(text: $0, to: socket) } }
      hub.metrics.replays += UInt64(events.count)
      guard case .paging(let items, let next, let through) = resumptions[socket]?.stage else { return }
      resumptions[socket]?.stage = .paging(items, next: next + taken, through: through)
      goOnPaging(socket)
    }
  }

  private func goOnPaging(_ socket: WebSocketID) {
    guard case .paging(let items, let next, let through) = resumptions[socket]?.stage else { return }
    guard next == items.count else {
      if !server.isBehind(socket) { enqueue(socket) }
      return
    }
    resumptions[socket]?.position = through
    // The reader may have seen commits that the loop has not been told of: they are not told a second time.
    if through >= hub.position { return finish(socket, at: through) }
    walk(socket)
  }
}
