import Testing

@testable import Reactor

/// A peer of which the test says how much it takes, and that keeps what it was sent and when it was told the end.
private final class NarrowTransport: Transport {
  var room: Int
  var arriving: [UInt8]
  private(set) var sent: [UInt8] = []
  private(set) var sentBeforeEnd: Int?

  init(room: Int, arriving: String) {
    self.room = room
    self.arriving = Array(arriving.utf8)
  }

  override func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    if arriving.isEmpty { return .wouldBlock }
    buffer.copyBytes(from: arriving)
    defer { arriving = [] }
    return .bytes(arriving.count)
  }

  override func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
    let count = min(room, bytes.count)
    if count == 0 { return .wouldBlock }
    room -= count
    sent += bytes[..<count]
    return .bytes(count)
  }

  override func shutdownWrite(_ fd: Int32) { sentBeforeEnd = sent.count }
  override func close(_ fd: Int32) {}
}

@Suite struct `A connection's last answer` {
  /// The answer lies in the outbox when the peer takes what waited in the backlog: both in one tick.
  @Test func `leaves before FIN although older ones wait for the peer`() throws {
    let test = try TestServer()
    let transport = NarrowTransport(
      room: 100,
      arriving: "GET /large HTTP/1.1\r\nhost: a\r\n\r\n"
        + "GET /later HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    let connection = try test.server.serve(transport)
    connection.ready(.readable)
    test.tick()
    #expect(transport.sent.count == 100 && test.held.responders.count == 1)

    test.held.responders[0].answer(Response(.ok, body: Array("the last".utf8)))
    transport.room = .max
    connection.ready(.writable)
    test.tick()
    #expect(String(decoding: transport.sent, as: UTF8.self).hasSuffix("the last"))
    #expect(transport.sentBeforeEnd == transport.sent.count)
  }
}
