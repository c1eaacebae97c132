import Glibc
import Testing

@testable import Reactor

@Suite struct `A connection's turn` {
  private static let request = "GET /loop HTTP/1.1\r\nhost: a\r\n\r\n"

  @Test func `ends after some of its requests, and another connection is served`() throws {
    let test = try TestServer()
    let greedy = test.connect()
    let modest = test.connect()
    let requests = Array(String(repeating: Self.request, count: 500).utf8)
    #expect(greedy.sendOnce(requests[...]) == requests.count)
    #expect(modest.sendOnce(Array(Self.request.utf8)[...]) > 0)
    test.tick()
    #expect(String(decoding: modest.takeOnce(), as: UTF8.self).hasSuffix("loop"))
    let served = String(decoding: greedy.takeOnce(), as: UTF8.self).matches(of: /HTTP\/1.1 200/).count
    // One turn with the event, and one with what was left of the tick.
    #expect((1...2 * test.server.limits.requestsPerTurn).contains(served))
    greedy.read { $0.statuses.count == 500 - served }
    #expect(greedy.statuses.count == 500 - served)
  }

  @Test func `comes again before the peer's FIN is heeded`() throws {
    let client = try TestServer().connect()
    client.send(String(repeating: Self.request, count: 500))
    shutdown(client.fd, Int32(SHUT_WR))
    client.readToEnd()
    #expect(client.statuses.count == 500)
  }

  @Test func `ends after some of a WebSocket's frames, and none is lost`() throws {
    let test = try TestServer { $0.framesPerTurn = 10 }
    let client = test.connect()
    client.openWebSocket()
    // Masked with zeros: an empty ping, and a text in two fragments.
    let ping: [UInt8] = [0x89, 0x80, 0, 0, 0, 0]
    let text: [UInt8] = [0x01, 0x81, 0, 0, 0, 0, 0x61, 0x80, 0x81, 0, 0, 0, 0, 0x62]
    let frames = Array(repeatElement(ping + text, count: 100).joined())
    #expect(client.sendOnce(frames[...]) == frames.count)
    test.tick()
    let first = client.takeOnce().count
    // A pong and the echo are 6 bytes, for two of the machine's steps.
    #expect((1...2 * 10 * 6).contains(first))
    client.read { $0.received.count == 100 * 6 - first }
    #expect(client.received.count == 100 * 6 - first)
  }

  /// Each message is some 100 bytes on the wire, so hundreds come with one read.
  @Test func `ends when what its frames inflate to is as much as a read may bring`() throws {
    let test = try TestServer { $0.highWater = 64 * 1024 * 1024 }
    let client = test.connect()
    client.openWebSocket("sec-websocket-extensions: permessage-deflate; client_no_context_takeover\r\n")
    #expect(test.sockets.open.count == 1)
    let size = test.server.limits.receiveBytes / 4
    let deflater = try #require(Deflater(windowBits: 15, memoryLevel: 8, forgets: true))
    var packed = [UInt8](repeating: 0, count: deflater.bound(size))
    let count = packed.withUnsafeMutableBytes { output in
      [UInt8](repeating: 0x78, count: size).withUnsafeBytes { deflater.deflate($0, into: output) }
    }
    try #require((1...125).contains(count))
    // Masked with zeros; RSV1 says that it is compressed.
    let message: [UInt8] = [0xC1, 0x80 | UInt8(count), 0, 0, 0, 0] + packed[..<count]
    let messages = Array(repeatElement(message, count: 100).joined())
    #expect(client.sendOnce(messages[...]) == messages.count)
    test.tick()
    // One turn with the event, and one with what was left of the tick; four messages fill a turn.
    #expect((1...2 * 4).contains(test.sockets.received))
    client.read { _ in test.sockets.received == 100 }
    #expect(test.sockets.received == 100)
  }
}

extension TestClient {
  fileprivate func openWebSocket(_ fields: String = "") {
    send(
      "GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\(fields)"
        + "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    read(containing: "\r\n\r\n")
    clear()
  }
}
