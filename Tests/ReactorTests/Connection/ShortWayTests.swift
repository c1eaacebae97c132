import Glibc
import Testing

@testable import Reactor

/// What comes and leaves alone has a shorter way through a connection (`ShortWay.swift`). It is compared with the general
/// one, which the same frames go when two of them come with one read, or one with two.
@Suite struct `A message that comes alone` {
  private final class Answerer: WebSocketHandler {
    let server: Server
    var answer: (WebSocketID, UnsafeRawBufferPointer, Bool) -> Void = { _, _, _ in }
    var open: [WebSocketID] = []
    var closed = 0

    init(_ server: Server) {
      self.server = server
      super.init()
      answer = { socket, bytes, isText in
        isText ? server.send(text: bytes, to: socket) : server.send(binary: bytes, to: socket)
      }
    }

    override func opened(_ socket: WebSocketID, context: (any Sendable)?) { open.append(socket) }
    override func closed(_ socket: WebSocketID) { closed += 1 }
    override func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
      answer(socket, bytes, isText)
    }
  }

  private struct Scene {
    let test: TestServer
    let handler: Answerer
    let client: TestClient

    init(_ change: (inout Limits) -> Void = { _ in }) throws {
      test = try TestServer(change)
      handler = Answerer(test.server)
      test.server.route(.get, "/alone", .webSocket(handler))
      client = test.connect()
      client.send(
        "GET /alone HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
          + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n")
      client.read(containing: "\r\n\r\n")
      client.clear()
    }

    /// Each of them comes with a read of its own.
    func play(_ pieces: [[UInt8]]) -> [UInt8] {
      for piece in pieces {
        #expect(client.sendOnce(piece[...]) == piece.count)
        test.tick(2)
      }
      var (received, quiet) = ([UInt8](), 0)
      while quiet < 10 {
        test.tick()
        let more = client.takeOnce()
        received += more
        quiet = more.isEmpty ? quiet + 1 : 0
      }
      return received
    }
  }

  /// What comes back, however the frames are cut.
  private func answers(to frames: [[UInt8]], _ change: (inout Limits) -> Void = { _ in }) throws -> [UInt8] {
    let alone = try Scene(change).play(frames)
    let together = try Scene(change).play([Array(frames.joined())])
    let halves = frames.flatMap { [Array($0[..<($0.count / 2)]), Array($0[($0.count / 2)...])] }
    let cut = try Scene(change).play(halves)
    #expect(alone == together && alone == cut)
    return alone
  }

  @Test func `is answered as one among others, whatever its length`() throws {
    var (frames, expected) = ([[UInt8]](), [UInt8]())
    for count in 0...130 {
      let payload = (0..<count).map { UInt8($0 & 0x7F) }
      for opcode in [Opcode.text, .binary] {
        frames.append(frame(opcode, payload))
        expected += frame(opcode, payload, to: .client)
      }
    }
    #expect(try answers(to: frames) == expected)
  }

  @Test(arguments: [
    [frame(.text, Array("Grüße, 世界 👋".utf8))],
    [frame(.binary, [0xFF, 0x80])],
    [frame(.text, [0x61, 0xFF]), frame(.text, [0x62])],
    [frame(.ping, [1, 2]), frame(.text, [0x61]), frame(.pong, [])],
    [frame(.text, [0x61], fin: false), frame(.text, [0x62])],
    [frame(.text, [0x61], fin: false), frame(.ping, []), frame(.continuation, [0x62]), frame(.text, [0x63])],
    [frame(.text, [0x61]), frame(.close, [0x03, 0xE8]), frame(.text, [0x62])],
    [hex("C1 81 00000000 61")], [hex("81 01 61")], [hex("83 81 00000000 61")],
    [hex("01 80 00000000"), hex("81 80 00000000")],
  ])
  func `is whatever it is among others`(frames: [[UInt8]]) throws {
    #expect(try !answers(to: frames).isEmpty)
  }

  @Test func `is not longer than a message may be`() throws {
    let frames = [frame(.text, [0x61, 0x62]), frame(.text, [0x61, 0x62, 0x63])]
    let answers = try answers(to: frames) { $0.messageBytes = 2 }
    #expect(answers.starts(with: [0x81, 2, 0x61, 0x62, 0x88]) && answers[6...7] == [0x03, 0xF1])
  }

  @Test func `may be answered by several, and they keep their order`() throws {
    let scene = try Scene()
    let long = [UInt8](repeating: 0x78, count: 126)
    scene.handler.answer = { [server = scene.test.server] socket, bytes, _ in
      server.send(text: bytes, to: socket)
      server.send(binary: bytes, to: socket)
      long.withUnsafeBytes { server.send(text: $0, to: socket) }
      server.send(server.frame(text: bytes), to: socket)
    }
    let each = [UInt8]([0x81, 1, 0x61, 0x82, 1, 0x61, 0x81, 126, 0, 126] + long + [0x81, 1, 0x61])
    #expect(scene.play([frame(.text, [0x61]), frame(.text, [0x61])]) == each + each)
  }

  @Test func `may close its socket`() throws {
    let scene = try Scene()
    scene.handler.answer = { [server = scene.test.server] socket, bytes, _ in
      server.send(text: bytes, to: socket)
      server.close(socket, .normal, "")
      server.send(text: bytes, to: socket)
    }
    #expect(
      scene.play([frame(.text, [0x61]), frame(.text, [0x62])]) == [0x81, 1, 0x61, 0x88, 2, 0x03, 0xE8])
    #expect(scene.handler.closed == 1)
  }

  @Test func `may pause the reading, and nothing that comes then is lost`() throws {
    let scene = try Scene()
    let (server, echo) = (scene.test.server, scene.handler.answer)
    scene.handler.answer = { socket, bytes, isText in
      server.pauseReading(socket)
      echo(socket, bytes, isText)
    }
    #expect(scene.play([frame(.text, [0x61]), frame(.text, [0x62])]) == [0x81, 1, 0x61])
    server.resumeReading(scene.handler.open[0])
    scene.client.read { $0.received.count == 3 }
    #expect(scene.client.received == [0x81, 1, 0x62])
  }

  @Test(arguments: [2, 3])
  func `is not answered with more than may wait for a peer`(limit: Int) throws {
    let answers = try answers(to: [frame(.text, [0x61])]) { $0.sendBuffer = limit }
    #expect(limit == 3 ? answers == [0x81, 1, 0x61] : answers[0] == 0x88 && answers[2...3] == [0x0F, 0xA8])
  }

  @Test func `is heard as a sign of life`() throws {
    let scene = try Scene { $0.heartbeat = 32 }
    var pings = 0
    for _ in 0..<5000 where pings < 8 {
      usleep(1000)
      _ = scene.client.sendOnce(frame(.text, [])[...])
      scene.test.tick()
      pings += scene.client.takeOnce().count { $0 == 0x89 }
    }
    #expect(pings == 8 && scene.handler.closed == 0)
  }

  @Test func `leaves in part where the kernel takes a part, and the rest later`() throws {
    let scene = try Scene()
    let (server, socket) = (scene.test.server, scene.handler.open[0])
    let connection = try #require(scene.test.loop.source(socket.source) as? Connection)
    var small: Int32 = 1
    setsockopt(connection.fd, SOL_SOCKET, SO_SNDBUF, &small, socklen_t(MemoryLayout<Int32>.size))
    var expected: [UInt8] = []
    for number in 0..<100_000 where server.unsentBytes(socket) == 0 {
      let payload = [UInt8](repeating: UInt8(number & 0x7F), count: 125)
      payload.withUnsafeBytes { server.send(text: $0, to: socket) }
      expected += [0x81, 125] + payload
      scene.test.loop.tick(limit: 0)
    }
    #expect(server.unsentBytes(socket) > 0)
    scene.client.read { $0.received.count == expected.count }
    #expect(scene.client.received == expected)
  }

  @Test func `goes nowhere when the peer has gone, which the handler is told once`() throws {
    let scene = try Scene()
    let socket = scene.handler.open[0]
    scene.client.reset()
    [UInt8](repeating: 0x61, count: 3).withUnsafeBytes { scene.test.server.send(text: $0, to: socket) }
    scene.test.tick(3)
    #expect(scene.handler.closed == 1)
  }
}
