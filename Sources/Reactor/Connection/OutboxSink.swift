/// Lets an encoder write into a connection's part of the outbox. A head is some dozen short pieces: they are put side by side and
/// linked once.
struct OutboxSink: ByteSink {
  private static let room = 512

  private unowned(unsafe) let connection: Connection
  private var place: UnsafeMutableRawPointer
  private var count = 0

  fileprivate init(_ connection: Connection) {
    self.connection = connection
    place = connection.server.outbox.reserve(Self.room)
  }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count <= Self.room &- count else { return appendLong(bytes) }
    guard let start = bytes.baseAddress else { return }
    (place + count).copyMemory(from: start, byteCount: bytes.count)
    count &+= bytes.count
  }

  private mutating func appendLong(_ bytes: UnsafeRawBufferPointer) {
    finish()
    if bytes.count > Self.room / 2 { connection.append(bytes) }
    place = connection.server.outbox.reserve(Self.room)
    count = 0
    if bytes.count <= Self.room / 2 { append(bytes) }
  }

  fileprivate func finish() {
    connection.server.outbox.giveBack(Self.room - count, of: place + Self.room)
    if count > 0 { connection.appendStored(UnsafeRawBufferPointer(start: place, count: count)) }
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
