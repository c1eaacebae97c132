import DequeModule
import GRDB
import Reactor

/// Tells who comes and goes to those who share a conversation. Changes are gathered for a moment, and who comes back within
/// a second has not been away.
final class Presence {
  private static let gathering: UInt64 = 100
  /// A user without a session is offline after this long, ms. Many who went at once need longer to come back: a failed
  /// network is no news either.
  private var absence: UInt64 { 1_000 + min(UInt64(gone.count) / 2, 14_000) }
  /// Users looked up in one job of a reader.
  private static let batch = 256
  /// Arrivals looked at in one beat, those who have gone again among them.
  private static let mostLooks = 8192

  private unowned let hub: Hub
  private let store: Store
  private let readers: WorkerQueue
  private let loop: EventLoop
  private lazy var timer = LoopTimer { [unowned self] in beat() }
  private var isSet = false
  /// Who has been told to be online.
  private var online: Set<Int64> = []
  /// Users that have come, each with the socket that is to be told who is there.
  private var come: Deque<(user: Int64, socket: WebSocketID)> = []
  /// Users whose last session has gone, with the time, in its order.
  private var gone: Deque<(user: Int64, at: UInt64, seen: Int64)> = []
  private var isReading = false

  init(hub: Hub, store: Store, readers: WorkerQueue, loop: EventLoop) {
    self.hub = hub
    self.store = store
    self.readers = readers
    self.loop = loop
  }

  func start() throws(SystemError) { try loop.add(timer) }

  /// A session of the user has begun.
  func opened(_ socket: WebSocketID, of user: Int64) {
    come.append((user, socket))
    set()
  }

  /// The user's last session has ended.
  func left(_ user: Int64) {
    gone.append((user, loop.now, Timestamp.now().milliseconds))
    set()
  }

  private func set() {
    if isSet { return }
    isSet = true
    loop.setTimer(of: timer, at: loop.now + Self.gathering)
  }

  private func beat() {
    isSet = false
    guard !isReading else { return set() }
    var changes: [Change] = []
    while let first = gone.first, first.at + absence <= loop.now, changes.count < Self.batch {
      gone.removeFirst()
      guard !hub.sessions.isOnline(first.user), online.remove(first.user) != nil else { continue }
      changes.append(Change(user: first.user, newSocket: nil, lastSeen: first.seen))
    }
    var looks = 0
    while let (user, socket) = come.first, changes.count < Self.batch, looks < Self.mostLooks {
      come.removeFirst()
      looks += 1
      // Who has gone again is no news: one who comes and goes all the time must not hold up the others.
      guard hub.sessions[socket] != nil else { continue }
      changes.append(Change(user: user, newSocket: socket, lastSeen: Timestamp.now().milliseconds))
    }
    // What a storm has left behind is given back.
    if come.isEmpty { come = [] }
    if gone.isEmpty { gone = [] }
    if !come.isEmpty || !gone.isEmpty { set() }
    if !changes.isEmpty { look(changes) }
  }

  private struct Change: Sendable {
    let user: Int64
    /// nil if the user has gone.
    let newSocket: WebSocketID?
    let lastSeen: Int64
  }

  /// Who has to be told is in the store; it may be told a moment late, and not at all when readers have too much to do.
  private func look(_ changes: [Change]) {
    let store = store
    let home = LoopBound(self)
    let mailbox = loop.mailbox
    isReading = readers.submit {
      let peers = try? store.read { db in
        var acquaintances = Acquaintances(db)
        return try changes.map { try acquaintances.peers(of: $0.user) }
      }
      mailbox.post { home.value.tell(changes, peers ?? changes.map { _ in [] }) }
    }
    if !isReading { tell(changes, changes.map { _ in [] }) }
  }

  private func tell(_ changes: [Change], _ peers: [[Int64]]) {
    isReading = false
    // Peers of many who have come are encoded once.
    var frames: [Int64: WebSocketFrame] = [:]
    for (change, peers) in zip(changes, peers) {
      if let socket = change.newSocket {
        let isNews = online.insert(change.user).inserted
        if isNews { hub.tellPresence(change.user, isOnline: true, lastSeen: change.lastSeen, to: peers) }
        for peer in peers where online.contains(peer) {
          hub.sendEphemeral(frame(of: peer, change, &frames), to: socket)
        }
        // It may have gone while the reader looked.
        if !hub.sessions.isOnline(change.user) { left(change.user) }
      } else {
        hub.tellPresence(change.user, isOnline: false, lastSeen: change.lastSeen, to: peers)
      }
    }
  }

  /// That a peer of someone who has come is online.
  private func frame(
    of peer: Int64, _ change: Change, _ frames: inout [Int64: WebSocketFrame]
  ) -> WebSocketFrame {
    if let frame = frames[peer] { return frame }
    let frame = hub.presenceFrame(peer, isOnline: true, lastSeen: change.lastSeen)
    frames[peer] = frame
    return frame
  }
}
