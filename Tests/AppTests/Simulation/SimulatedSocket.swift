import Glibc

@testable import Reactor

/// A connection's two ends and the network between them, which takes its time: bytes arrive in pieces, the kernel takes a part
/// of what is written, or nothing, and either side may go at any time.
///
/// It tells readiness by edges, as epoll does: once when bytes arrive, once when there is room again.
final class SimulatedSocket: Transport {
  /// From the client: on the way, and where the server can read them.
  private var underway: [UInt8] = []
  private var arrived: [UInt8] = []
  /// From the server, not yet taken by the client.
  private var returning: [UInt8] = []
  /// What the kernel takes of the server's bytes until the client takes some.
  private let capacity: Int
  private var isFull = false
  private var isClientGone = false
  private var isReset = false
  /// The server has sent FIN, or has closed.
  private(set) var isEnded = false
  private(set) var isClosed = false
  /// The server's end.
  private weak var connection: Connection?

  init(capacity: Int) { self.capacity = capacity }

  func attach(_ connection: Connection) { self.connection = connection }

  // MARK: The server's side

  override func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    precondition(!isClosed, "a closed connection reads")
    if isReset { return .failed(ECONNRESET) }
    if arrived.isEmpty { return isClientGone && underway.isEmpty ? .ended : .wouldBlock }
    let count = min(arrived.count, buffer.count)
    buffer.copyBytes(from: arrived[..<count])
    arrived.removeFirst(count)
    return .bytes(count)
  }

  override func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
    precondition(!isClosed && !isEnded, "a closed connection writes")
    if isReset { return .failed(EPIPE) }
    let count = min(bytes.count, capacity - returning.count)
    if count < bytes.count { isFull = true }
    if count == 0 { return .wouldBlock }
    returning += bytes[..<count]
    return .bytes(count)
  }

  override func shutdownWrite(_ fd: Int32) { isEnded = true }
  override func resetOnClose(_ fd: Int32) {}
  override func close(_ fd: Int32) {
    isClosed = true
    isEnded = true
  }

  // MARK: The client's side

  func send(_ bytes: [UInt8]) { if !isClientGone { underway += bytes } }

  var hasUnderway: Bool { !underway.isEmpty }
  var hasReturning: Bool { !returning.isEmpty }

  /// Takes what the server has sent, at most so much.
  func take(_ most: Int) -> [UInt8] {
    let taken = Array(returning.prefix(most))
    returning.removeFirst(taken.count)
    if isFull, !taken.isEmpty {
      isFull = false
      tell(.writable)
    }
    return taken
  }

  // MARK: The network

  /// Lets bytes of the client arrive.
  func deliver(_ most: Int) {
    guard !underway.isEmpty, !isReset else { return }
    arrived += underway.prefix(most)
    underway.removeFirst(min(most, underway.count))
    tell(isClientGone && underway.isEmpty ? [.readable, Self.fin] : .readable)
  }

  /// The client sends FIN, behind what is on the way.
  func finish() {
    isClientGone = true
    if underway.isEmpty { tell([.readable, Self.fin]) }
  }

  /// The client resets the connection.
  func reset() {
    isClientGone = true
    isReset = true
    tell([.readable, .writable, .hungUp])
  }

  private static let fin = Readiness.hungUp.subtracting(.broken)

  private func tell(_ readiness: Readiness) {
    if let connection, connection.state != .closed { connection.ready(readiness) }
  }
}
