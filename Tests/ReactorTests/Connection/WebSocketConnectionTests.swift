import Glibc
import Testing

@testable import Reactor

@Suite struct `A WebSocket connection` {
  private let handshake =
    "GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"

  private func frame(_ opcode: Opcode, _ text: String, fin: Bool = true) -> [UInt8] {
    let payload = Array(text.utf8)
    var frame = [UInt8](repeating: 0, count: 14)
    let length = frame.withUnsafeMutableBytes {
      FrameEncoder.writeHeader(opcode, fin: fin, payload: payload.count, maskKey: 0x0403_0201, into: $0)
    }
    let key: [UInt8] = [1, 2, 3, 4]
    return frame[..<length] + payload.enumerated().map { $1 ^ key[$0 & 3] }
  }

  private func open(_ test: TestServer) -> TestClient {
    let client = test.connect()
    client.send(handshake)
    client.read(containing: "\r\n\r\n")
    client.clear()
    return client
  }

  @Test func `answers a frame that came with the handshake after the 101`() throws {
    let client = try TestServer().connect()
    client.send(Array(handshake.utf8) + frame(.text, "hello"))
    client.read(containing: "hello")
    #expect(client.statuses == ["101"])
    #expect(client.text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    #expect(client.received.suffix(7) == [0x81, 5] + Array("hello".utf8))
  }

  @Test func `puts fragments together, with a ping answered between them`() throws {
    let client = open(try TestServer())
    client.send(frame(.text, "ab", fin: false) + frame(.ping, "p") + frame(.continuation, "cd"))
    client.read(containing: "abcd")
    #expect(client.received == [0x8A, 1, 0x70, 0x81, 4] + Array("abcd".utf8))
  }

  @Test func `leaves nothing to the connection that gets its descriptor's number in the same tick`() throws {
    let test = try TestServer()
    let client = open(test)
    Array("secret".utf8).withUnsafeBytes { test.server.send(text: $0, to: test.sockets.open[0]) }
    client.reset()
    let other = test.connect()
    other.send("GET /loop HTTP/1.1\r\nhost: a\r\n\r\n")
    other.read(containing: "loop")
    #expect(test.sockets.closed == 1)
    #expect(other.text.hasPrefix("HTTP/1.1 200") && !other.text.contains("secret"))
  }

  @Test func `returns a close frame and ends`() throws {
    let test = try TestServer()
    let client = open(test)
    client.send([0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xE8 ^ 2])
    client.readToEnd()
    #expect(client.received == [0x88, 2, 0x03, 0xE8])
    #expect(test.sockets.closed == 1)
  }

  @Test func `fails a broken frame with its code, once for the handler`() throws {
    let test = try TestServer()
    let client = open(test)
    client.send([0x81, 0x01, 0x61])
    client.readToEnd()
    #expect(client.received[0] == 0x88 && client.received[2...3] == [0x03, 0xEA])
    #expect(test.sockets.closed == 1)
  }

  @Test func `takes one stored frame to all sockets of a tick, in one piece each`() throws {
    let test = try TestServer()
    let clients = (0..<20).map { _ in open(test) }
    let bytes = Array("to all".utf8)
    let frame = bytes.withUnsafeBytes { test.server.frame(text: $0) }
    for socket in test.sockets.open { test.server.send(frame, to: socket) }
    for client in clients {
      client.read(containing: "to all")
      #expect(client.received == [0x81, 6] + bytes)
    }
  }

  @Test func `closes a peer that does not keep up with 4008, and holds no more than the limit`() throws {
    let test = try TestServer { $0.sendBuffer = 100_000 }
    let client = open(test)
    let socket = test.sockets.open[0]
    let bytes = [UInt8](repeating: 0x78, count: 50_000)
    for _ in 0..<400 where test.sockets.closed == 0 {
      bytes.withUnsafeBytes { test.server.send(text: $0, to: socket) }
      #expect(test.server.unsentBytes(socket) <= 100_000 + 64)
      test.tick()
    }
    #expect(test.sockets.closed == 1)
    client.readToEnd()
    let reason = Array("This connection does not read fast enough.".utf8)
    #expect(client.received.suffix(46) == [0x88, 44, 0x0F, 0xA8] + reason)
  }

  @Test func `pings at each heartbeat and drops a peer silent for three, not one that answers`() throws {
    let test = try TestServer { $0.heartbeat = 32 }
    let silent = open(test)
    let alive = open(test)
    silent.read { client in
      alive.read { !$0.received.isEmpty }
      if !alive.received.isEmpty { alive.send(frame(.pong, "")) }
      alive.clear()
      return client.isEnded
    }
    #expect(silent.isEnded && !alive.isEnded)
    #expect(silent.received == [0x89, 0, 0x89, 0, 0x89, 0])
    #expect(test.sockets.closed == 1 && test.sockets.heartbeats >= 5)
  }

  @Test func `calls the application once at the deadline that it set`() throws {
    let test = try TestServer()
    let client = open(test)
    test.server.setDeadline(test.sockets.open[0], after: 30)
    for _ in 0..<200 where test.sockets.deadlines == 0 { test.tick() }
    test.tick(50)
    #expect(test.sockets.deadlines == 1)
    client.send(frame(.text, "on"))
    client.read(containing: "on")
    #expect(!client.received.isEmpty)
  }

  @Test func `sends nothing to the id of a socket that has gone`() throws {
    let test = try TestServer()
    let gone = test.sockets.open.count
    var client: TestClient? = open(test)
    let id = test.sockets.open[gone]
    client = nil
    for _ in 0..<100 where test.sockets.closed == 0 { test.tick() }
    let next = open(test)
    #expect(test.sockets.open[gone + 1].slot == id.slot, "the slot is used again")
    Array("secret".utf8).withUnsafeBytes { test.server.send(text: $0, to: id) }
    next.send(frame(.text, "mine"))
    next.read(containing: "mine")
    #expect(!next.text.contains("secret"))
    _ = client
  }
}
