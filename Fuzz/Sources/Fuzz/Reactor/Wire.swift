import Glibc

@testable import Reactor

/// One peer and the network before it, in place of a socket: what has arrived, how much more the peer takes, and how
/// it ended. It also holds the connection to what a descriptor needs: one end, one close, and nothing behind either.
final class Wire: Transport {
  private enum End { case open, ended, reset }

  /// All that the peer has been sent.
  private(set) var received: [UInt8] = []
  /// The server's FIN has come.
  private(set) var isEnded = false
  private(set) var isClosed = false
  private(set) var isResetOnClose = false

  private var arrived: [UInt8] = []
  private var peer = End.open
  private var window: Int
  /// A write has met a full window: when there is room, the edge is told.
  private var owesWritable = false

  /// - Parameter window: how many bytes the peer takes before it has to read.
  init(window: Int) { self.window = window }

  /// What has arrived and was not read.
  var unread: Int { arrived.count }
  var isReset: Bool { peer == .reset }

  // MARK: The peer's side: each returns what epoll would tell.

  func arrive(_ bytes: [UInt8]) -> Readiness {
    guard peer == .open, !bytes.isEmpty else { return [] }
    arrived += bytes
    return .readable
  }

  func end() -> Readiness {
    guard peer == .open else { return [] }
    peer = .ended
    return [.readable, .hungUp]
  }

  /// What had arrived and was not read is lost, as is what was not yet taken.
  func reset() -> Readiness {
    guard peer != .reset else { return [] }
    peer = .reset
    arrived = []
    return [.readable, .writable, .hungUp, .broken]
  }

  func widen(to room: Int) -> Readiness {
    window = room
    guard owesWritable, room > 0 else { return [] }
    owesWritable = false
    return .writable
  }

  // MARK: The connection's side

  /// Edge-triggered: a short read has emptied the socket.
  override func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    precondition(!isClosed && buffer.count > 0, "read from a closed descriptor, or into nothing")
    if peer == .reset { return .failed(ECONNRESET) }
    if arrived.isEmpty { return peer == .ended ? .ended : .wouldBlock }
    let count = min(buffer.count, arrived.count)
    buffer.copyBytes(from: arrived[..<count])
    arrived.removeFirst(count)
    return .bytes(count)
  }

  override func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
    precondition(!isClosed && !isEnded && bytes.count > 0, "a write behind the end, or of nothing")
    if peer == .reset { return .failed(EPIPE) }
    let count = min(window, bytes.count)
    window -= count
    if count < bytes.count { owesWritable = true }
    if count == 0 { return .wouldBlock }
    received += bytes[..<count]
    return .bytes(count)
  }

  override func shutdownWrite(_ fd: Int32) {
    precondition(!isClosed && !isEnded, "two ends")
    isEnded = true
  }

  override func resetOnClose(_ fd: Int32) { isResetOnClose = true }

  override func close(_ fd: Int32) {
    precondition(!isClosed, "two closes: the second is another connection's")
    isClosed = true
  }
}
