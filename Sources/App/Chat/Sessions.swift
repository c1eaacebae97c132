import Reactor

/// Who is connected: one entry for each open socket, and for each user the chain of their sockets.
///
/// Entries lie in an array by the socket's slot, 32 bytes each, and link to one another by slot: a user with one
/// socket costs no list.
struct Sessions {
  struct Session {
    fileprivate(set) var socket: WebSocketID
    /// 0 until the socket has shown a token.
    fileprivate(set) var user: Int64 = 0
    /// The session of its token, as in `Caller`.
    fileprivate(set) var tokenSession: Int64 = 0
    fileprivate var next: Int32 = -1
    fileprivate var isOpen = true
  }

  private struct User {
    var first: Int32
    var allowance: Allowance
  }

  private var slots: [Session?] = []
  private var users: [Int64: User] = [:]
  private(set) var count = 0

  subscript(socket: WebSocketID) -> Session? {
    guard socket.slot < slots.count, let session = slots[socket.slot], session.socket == socket else {
      return nil
    }
    return session
  }

  mutating func open(_ socket: WebSocketID) {
    while slots.count <= socket.slot { slots.append(nil) }
    slots[socket.slot] = Session(socket: socket)
    count += 1
  }

  /// Binds a socket to the user of its token, for good, and to the session of its newest one.
  mutating func authenticate(_ socket: WebSocketID, user: Int64, session tokenSession: Int64) {
    guard let session = self[socket] else { return }
    slots[socket.slot]?.tokenSession = tokenSession
    guard session.user == 0 else { return }
    let known = users[user]
    slots[socket.slot]?.user = user
    slots[socket.slot]?.next = known?.first ?? -1
    users[user] = User(first: Int32(socket.slot), allowance: known?.allowance ?? Allowance())
  }

  mutating func close(_ socket: WebSocketID) {
    guard let session = self[socket] else { return }
    if session.user != 0 { unlink(session) }
    slots[socket.slot] = nil
    count -= 1
  }

  private mutating func unlink(_ session: Session) {
    guard let first = users[session.user]?.first else { return }
    if first == Int32(session.socket.slot) {
      if session.next == -1 { users[session.user] = nil } else { users[session.user]?.first = session.next }
      return
    }
    var slot = Int(first)
    while let next = slots[slot]?.next, next != -1 {
      if next == Int32(session.socket.slot) {
        slots[slot]?.next = session.next
        return
      }
      slot = Int(next)
    }
  }

  /// Visits the sockets of a user.
  @inline(__always)
  func forEach(of user: Int64, _ body: (WebSocketID) -> Void) {
    var slot = users[user]?.first ?? -1
    while slot != -1, let session = slots[Int(slot)] {
      body(session.socket)
      slot = session.next
    }
  }

  func forEachSocket(_ body: (WebSocketID) -> Void) {
    for session in slots { if let session { body(session.socket) } }
  }

  /// Takes one message from the user's allowance; how long to wait, in milliseconds, if there is none.
  mutating func spend(_ user: Int64, rate: Int, now: UInt64) -> UInt64? {
    users[user]?.allowance.spend(rate: rate, now: now)
  }
}

/// A token bucket: `rate` a second, and as many at once.
struct Allowance {
  /// Thousandths of a message that have been used.
  private var used: UInt32 = 0
  private var updated: UInt32 = 0

  /// Nil if one may pass; else the milliseconds until it may.
  mutating func spend(rate: Int, now: UInt64) -> UInt64? {
    let time = UInt32(truncatingIfNeeded: now)
    let regained = UInt64(time &- updated) * UInt64(rate)
    updated = time
    used = UInt64(used) > regained ? used - UInt32(regained) : 0
    guard Int(used) + 1000 <= rate * 1000 else { return UInt64(1000 / max(1, rate)) + 1 }
    used += 1000
    return nil
  }
}
