import DequeModule
import GRDB
import Reactor

/// Tells who comes and goes to those who share a conversation. Changes are gathered for a moment, and who comes back within
/// a second has not been away: a flickering network is no news.
final class Presence {
  private static let gathering: UInt64 = 100
  /// A user without a session is offline after this long.
  private static let absence: UInt64 = 1_000
  /// Users looked up in one job of a reader.
  private static let batch = 256
  /// The most peers of one user that are told, and told of.
  private static let mostPeers = 2_000
  /// Of a user in more conversations than this, the newest are looked at.
  private static let mostConversations = 1_000

  private unowned let hub: Hub
  private let store: Store
  private let readers: WorkerQueue
  private let loop: EventLoop
  private lazy var timer = LoopTimer { [unowned self] in beat() }
  private var isSet = false
  /// Who has been told to be online.
  private var online: Set<Int64> = []
  /// Users that have come, and sockets that are to be told who is there.
  private var come: [Int64] = []
  private var new: [Int64: [WebSocketID]] = [:]
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
    if new[user] == nil { come.append(user) }
    new[user, default: []].append(socket)
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
    while let first = gone.first, first.at + Self.absence <= loop.now, changes.count < Self.batch {
      gone.removeFirst()
      guard !hub.sessions.isOnline(first.user), online.remove(first.user) != nil else { continue }
      changes.append(Change(user: first.user, isOnline: false, lastSeen: first.seen))
    }
    let count = min(come.count, Self.batch - changes.count)
    for user in come[..<count] {
      changes.append(Change(user: user, isOnline: true, lastSeen: Timestamp.now().milliseconds))
    }
    come.removeFirst(count)
    if !come.isEmpty || !gone.isEmpty { set() }
    if !changes.isEmpty { look(changes) }
  }

  private struct Change: Sendable {
    let user: Int64
    let isOnline: Bool
    let lastSeen: Int64
  }

  /// Who has to be told is in the store; it may be told a moment late, and not at all when readers have too much to do.
  private func look(_ changes: [Change]) {
    let store = store
    let home = LoopBound(self)
    let mailbox = loop.mailbox
    isReading = readers.submit {
      let peers = try? store.read { db in try changes.map { try Self.peers(of: $0.user, db) } }
      mailbox.post { home.value.tell(changes, peers ?? changes.map { _ in [] }) }
    }
    if !isReading { tell(changes, changes.map { _ in [] }) }
  }

  private static func peers(of user: Int64, _ db: Database) throws -> [Int64] {
    try Int64.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT DISTINCT o.user_id
          FROM (SELECT conversation_id FROM members WHERE user_id = ?1 ORDER BY conversation_id DESC LIMIT ?4) m
            JOIN members o ON o.conversation_id = m.conversation_id
          WHERE o.user_id <> ?1
            AND (SELECT count(*) FROM (SELECT 1 FROM members WHERE conversation_id = m.conversation_id LIMIT ?2)) < ?2
          LIMIT ?3
          """),
      arguments: [user, MemberList.mostAcquainted + 1, mostPeers, mostConversations])
  }

  private func tell(_ changes: [Change], _ peers: [[Int64]]) {
    isReading = false
    for (change, peers) in zip(changes, peers) {
      if change.isOnline {
        let isNews = online.insert(change.user).inserted
        if isNews { hub.tellPresence(change.user, isOnline: true, lastSeen: change.lastSeen, to: peers) }
        for socket in new.removeValue(forKey: change.user) ?? [] {
          for peer in peers where online.contains(peer) {
            hub.tellPresence(peer, isOnline: true, lastSeen: change.lastSeen, to: socket)
          }
        }
        // It may have gone while the reader looked.
        if !hub.sessions.isOnline(change.user) { left(change.user) }
      } else {
        hub.tellPresence(change.user, isOnline: false, lastSeen: change.lastSeen, to: peers)
      }
    }
  }
}
