/// Lets an encoder write into a connection's part of the outbox. A head is some dozen short pieces: they are put side by side and
/// linked once.
struct OutboxSink: ByteSink {
  private static let room = 512

  private let connection: Connection
  private var place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var count = 0

  fileprivate init(_ connection: Connection) { self.connection = connection }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count > place.count - count {
      finish()
      if bytes.count > Self.room / 2 { return connection.append(bytes) }
      place = UnsafeMutableRawBufferPointer(
        start: connection.server.outbox.reserve(Self.room), count: Self.room)
    }
    guard let start = bytes.baseAddress else { return }
    (place.baseAddress.unsafelyUnwrapped + count).copyMemory(from: start, byteCount: bytes.count)
    count += bytes.count
  }

  fileprivate mutating func finish() {
    if count > 0 { connection.appendStored(UnsafeRawBufferPointer(rebasing: place[..<count])) }
    place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    count = 0
  }
}

extension Connection {
  /// Sends what `body` writes. It must send nothing else meanwhile.
  func write(_ body: (inout OutboxSink) -> Void) {
    var sink = OutboxSink(self)
    body(&sink)
    sink.finish()
  }
}
