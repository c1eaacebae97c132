/// The content of a streamed answer on its way from the producer to the connection. It belongs to the loop.
final class AnswerStream {
  /// The longest piece that is sent as one chunk: a long write waits between its pieces, too.
  private static let pieceBytes = 64 * 1024

  /// Nil when the answer has ended or the connection has gone.
  private weak var connection: Connection?
  private let isChunked: Bool
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(connection: Connection, isChunked: Bool) {
    self.connection = connection
    self.isChunked = isChunked
  }

  // MARK: The producer's side

  func write(_ bytes: [UInt8]) async throws(ConnectionClosed) {
    var start = 0
    while start < bytes.count {
      let end = min(start + Self.pieceBytes, bytes.count)
      bytes[start..<end].withUnsafeBytes { send($0) }
      start = end
      await room()
      if connection == nil { throw ConnectionClosed() }
    }
  }

  private func send(_ bytes: UnsafeRawBufferPointer) {
    guard let connection else { return }
    connection.write { if isChunked { ChunkedEncoder.write(bytes, into: &$0) } else { $0.append(bytes) } }
  }

  /// Returns when there is room for more, or nobody to send it to.
  private func room() async {
    while mustWait {
      await withCheckedContinuation { continuation in
        // On its way here the task may have waited for its turn: what it waits for may have happened, and would not again.
        if mustWait { waiting.append(continuation) } else { continuation.resume() }
      }
    }
  }

  private var mustWait: Bool { connection?.isBehind ?? false }

  /// The content is complete.
  func end() {
    guard let connection else { return }
    if isChunked { connection.send(ChunkedEncoder.end) }
    self.connection = nil
    connection.didStream()
  }

  /// The content will not be completed.
  func fail() {
    guard let connection else { return }
    self.connection = nil
    connection.breakStream(isChunked: isChunked)
  }

  // MARK: The connection's side

  /// There is room again.
  func wake() {
    let woken = waiting
    waiting = []
    for continuation in woken { continuation.resume() }
  }

  func close() {
    connection = nil
    wake()
  }
}
