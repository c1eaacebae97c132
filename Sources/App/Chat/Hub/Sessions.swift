import Reactor

/// Who is connected: one entry for each open socket, and for each user the chain of their sockets.
///
/// Entries lie in an array by the socket's slot, 40 bytes each, and link to one another by slot: a user with one
/// socket costs no list.
struct Sessions {
  struct Session {
    fileprivate(set) var socket: WebSocketID
    /// 0 until the socket has shown a token. Negative in a place without a socket: an optional session would take eight
    /// bytes more.
    fileprivate(set) var user: Int64 = 0
    /// The session of its token, as in `Caller`.
    fileprivate(set) var tokenSession: Int64 = 0
    /// Events up to this position are not for it: it has them, or will have them by its `Resumptions`.
    fileprivate(set) var floor: Int64 = .max
    fileprivate var next: Int32 = -1
    fileprivate var expirySecond: UInt32 = 0

    /// When its token ends, Unix seconds, as long as it has not been warned of that.
    var expiry: Int64? { expirySecond == 0 ? nil : Int64(expirySecond) }
    var isLive: Bool { floor != .max }
  }

  private var slots: [Session] = []
  /// The first slot of each user's chain.
  private var users: [Int64: Int32] = [:]
  private(set) var count = 0

  subscript(socket: WebSocketID) -> Session? { isOpen(socket) ? slots[socket.slot] : nil }

  private func isOpen(_ socket: WebSocketID) -> Bool {
    socket.slot < slots.count && slots[socket.slot].socket == socket && slots[socket.slot].user >= 0
  }

  mutating func open(_ socket: WebSocketID) {
    while slots.count <= socket.slot { slots.append(Session(socket: socket, user: -1)) }
    slots[socket.slot] = Session(socket: socket)
    count += 1
  }

  /// Binds a socket to the user of its token, for good, and to the session of its newest one.
  mutating func authenticate(_ socket: WebSocketID, user: Int64, session tokenSession: Int64) {
    guard isOpen(socket) else { return }
    slots[socket.slot].tokenSession = tokenSession
    guard slots[socket.slot].user == 0 else { return }
    slots[socket.slot].user = user
    slots[socket.slot].next = users[user] ?? -1
    users[user] = Int32(socket.slot)
  }

  /// Live events behind that position are for the socket; none with `Int64.max`.
  mutating func setFloor(_ position: Int64, of socket: WebSocketID) {
    if isOpen(socket) { slots[socket.slot].floor = position }
  }

  mutating func setExpiry(_ second: Int64?, of socket: WebSocketID) {
    if isOpen(socket) { slots[socket.slot].expirySecond = second.map { UInt32(clamping: $0) } ?? 0 }
  }

  mutating func close(_ socket: WebSocketID) {
    guard let session = self[socket] else { return }
    if session.user != 0 { unlink(session) }
    slots[socket.slot].user = -1
    count -= 1
  }

  private mutating func unlink(_ session: Session) {
    guard let first = users[session.user] else { return }
    if first == Int32(session.socket.slot) {
      users[session.user] = session.next == -1 ? nil : session.next
      return
    }
    var slot = Int(first)
    while case let next = slots[slot].next, next != -1 {
      if next == Int32(session.socket.slot) {
        slots[slot].next = session.next
        return
      }
      slot = Int(next)
    }
  }

  /// Whether the user has a session.
  func isOnline(_ user: Int64) -> Bool { users[user] != nil }

  /// Visits the sockets of a user.
  @inline(__always)
  func forEach(of user: Int64, _ body: (WebSocketID) -> Void) {
    forEach(of: user, awaiting: nil, body)
  }

  /// Visits those sockets of a user that a live event of that position is for; all of them without one.
  @inline(__always)
  func forEach(of user: Int64, awaiting position: Int64?, _ body: (WebSocketID) -> Void) {
    var slot = users[user] ?? -1
    while slot != -1 {
      // A copy: `body` may close the socket, which takes it out of the chain.
      let session = slots[Int(slot)]
      if position == nil || session.floor < position.unsafelyUnwrapped { body(session.socket) }
      slot = session.next
    }
  }

  func forEachSocket(_ body: (WebSocketID) -> Void) {
    for session in slots where session.user >= 0 { body(session.socket) }
  }
}
