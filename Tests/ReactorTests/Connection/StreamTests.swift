import Glibc
import Testing

@testable import Reactor

/// A server with streamed answers, and what their producers met.
private final class StreamServer {
  struct Failure: Error {}
  final class Log {
    var started = 0
    var written = 0
    var ended = 0
    var closed = 0
  }
  let test: TestServer
  let valve = Valve()
  let log = Log()

  init(_ change: (inout Limits) -> Void = { _ in }) throws {
    test = try TestServer(change)
    let log = LoopBound(log)
    let valve = LoopBound(valve)
    let server = test.server
    let abc = Response.stream(.ok, fields: [.init("x", "y")], contentType: "text/plain") { writer in
      log.value.started += 1
      for piece in ["a", "", "bc"] { try await writer.write(Array(piece.utf8)) }
      log.value.ended += 1
    }
    server.route(.get, "/stream/loop", .loop { _, _ in abc })
    server.route(.get, "/stream/task", .task { _ in abc })
    server.route(.get, "/stream/worker", .worker(test.worker) { _ in abc })
    server.route(.post, "/stream/loop", .loop { _, _ in abc })
    server.route(
      .post, "/stream/upload",
      .upload { _, body in
        while (try? await body.next()) != nil {}
        return abc
      })
    server.route(.post, "/stream/early", .upload { _, _ in StreamServer.stepped(log, valve) })
    server.route(.get, "/stepped", .task { _ in StreamServer.stepped(log, valve) })
    server.route(
      .get, "/broken",
      .task { _ in
        .stream(.ok, contentType: "text/plain") { writer in
          try await writer.write(Array("part".utf8))
          throw Failure()
        }
      })
    server.route(
      .get, "/megabytes/{count}",
      .task { request in
        let count = Int(request.parameters[0]) ?? 0
        return .stream(.ok, contentType: "application/octet-stream") { writer in
          let piece = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0) }
          do throws(ConnectionClosed) {
            for _ in 0..<count {
              try await writer.write(piece)
              log.value.written += piece.count
            }
          } catch {
            log.value.closed += 1
            throw error
          }
        }
      })
    server.route(
      .get, "/gated", gate: { _ in .refuse(abc) }, .loop { _, _ in Response(.ok) })
  }

  /// Writes `one`, waits for the valve, and writes `two`.
  private static func stepped(_ log: LoopBound<Log>, _ valve: LoopBound<Valve>) -> Response {
    .stream(.ok, contentType: "text/plain") { writer in
      try await writer.write(Array("one".utf8))
      await valve.value.pass()
      do throws(ConnectionClosed) {
        try await writer.write(Array("two".utf8))
      } catch {
        log.value.closed += 1
        throw error
      }
    }
  }

  var unsentBytes: Int {
    var unsent = 0
    test.loop.forEachSource { if let connection = $0 as? Connection { unsent += connection.unsentBytes } }
    return unsent
  }
}

private func request(_ path: String, version: Int = 1, _ fields: String = "") -> String {
  "GET \(path) HTTP/1.\(version)\r\nhost: a\r\n\(fields)\r\n"
}

private let chunkedABC = "\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"

@Suite struct `A streamed answer` {
  @Test(arguments: [
    request("/stream/loop"), request("/stream/task"), request("/stream/worker"),
    "POST /stream/loop HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi",
    "POST /stream/upload HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  ])
  func `comes in chunks from every kind of route, and requests behind it wait`(_ first: String) throws {
    let client = try StreamServer().test.connect()
    client.send(first + request("/loop") + first)
    client.read { $0.statuses.count == 3 && $0.text.hasSuffix(chunkedABC) }
    #expect(client.statuses == ["200", "200", "200"])
    #expect(client.text.contains(chunkedABC + "HTTP/1.1") && client.text.contains("\r\n\r\nloopHTTP/1.1"))
    #expect(client.text.contains("\r\nx: y\r\ntransfer-encoding: chunked\r\n"))
    #expect(!client.text.contains("content-length: 0"))
    for byte in first.utf8 { client.send([byte]) }
    client.read { $0.statuses.count == 4 && $0.text.hasSuffix(chunkedABC) }
    #expect(client.statuses.count == 4)
  }

  @Test func `ends with the connection for an HTTP/1.0 client`() throws {
    let client = try StreamServer().test.connect()
    client.send(request("/stream/task", version: 0, "connection: keep-alive\r\n"))
    client.readToEnd()
    #expect(client.isEnded && client.text.hasSuffix("\r\n\r\nabc"))
    #expect(client.text.contains("connection: close\r\n") && !client.text.contains("transfer-encoding"))
  }

  @Test func `has a head alone for HEAD, and its producer does not run`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send("HEAD /stream/task HTTP/1.1\r\nhost: a\r\n\r\n" + request("/loop"))
    client.read(containing: "loop")
    #expect(client.statuses == ["200", "200"] && client.text.contains("transfer-encoding: chunked\r\n"))
    #expect(client.text.contains("\r\n\r\nHTTP/1.1") && server.log.started == 0)
  }

  @Test func `is whole and empty where a gate refuses with it`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send(request("/gated") + request("/loop"))
    client.read(containing: "loop")
    #expect(client.statuses == ["200", "200"] && client.text.contains("content-length: 0\r\n"))
    #expect(server.log.started == 0)
  }

  @Test func `never has much more waiting than a slow reader has taken`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send(request("/megabytes/100"))
    client.read(containing: "\r\n\r\n")
    let headLength = try #require(client.text.firstRange(of: "\r\n\r\n")).upperBound.utf16Offset(
      in: client.text)
    var received = client.received.count - headLength
    // A chunk of 64 KiB beyond the mark, with its framing.
    let bound = server.test.server.limits.highWater + 65_536 + 9
    var mostUnsent = 0
    for _ in 0..<2000 where mostUnsent == 0 {
      server.test.tick()
      mostUnsent = max(mostUnsent, server.unsentBytes)
    }
    #expect(mostUnsent > 0 && server.log.written < 50 << 20, "the kernel is full, and the producer waits")
    let whole = 100 * 16 * (65_536 + 9) + 5
    for _ in 0..<100_000 where received < whole {
      received += client.takeOnce().count
      server.test.tick()
      mostUnsent = max(mostUnsent, server.unsentBytes)
    }
    #expect(received == whole && mostUnsent <= bound)
    client.clear()
    client.send(request("/loop"))
    client.read(containing: "loop")
    #expect(client.statuses == ["200"])
  }

  @Test func `brings the content as it was written`() throws {
    let client = try StreamServer().test.connect()
    client.send(request("/megabytes/3", "connection: close\r\n"))
    client.readToEnd()
    let head = try #require(client.received.firstRange(of: Array("\r\n\r\n".utf8)))
    let body = Array(client.received[head.upperBound...])
    let content = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0) }
    let outcome = feedBody(.chunked, body, cuts: [body.count], limits: BodyLimits(contentBytes: 4 << 20))
    #expect(outcome == .content(content, consumed: body.count))
  }

  @Test func `breaks off where its producer throws, and no last chunk says otherwise`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send(request("/broken") + request("/loop"))
    client.readToEnd()
    #expect(client.isEnded && client.text.hasSuffix("\r\n\r\n4\r\npart\r\n"))
    #expect(server.test.server.closeCounts[Int(CloseReason.application.rawValue)] == 1)
  }

  @Test func `resets the connection of an HTTP/1.0 client where its producer throws`() throws {
    let client = try StreamServer().test.connect()
    client.send(request("/broken", version: 0))
    client.readToEnd()
    #expect(client.isEnded && client.error == ECONNRESET)
  }

  @Test func `tells its producer that the client has gone`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send(request("/stepped"))
    client.read(containing: "one")
    client.reset()
    for _ in 0..<200 where server.test.server.connectionCount > 0 { server.test.tick() }
    #expect(server.test.server.connectionCount == 0, "though the producer is silent")
    server.valve.open(1)
    for _ in 0..<200 where server.log.closed == 0 { server.test.tick() }
    #expect(server.log.closed == 1)

    // And where it waits for the client to take what there is.
    let reader = server.test.connect()
    reader.send(request("/megabytes/100"))
    for _ in 0..<2000 where server.unsentBytes == 0 { server.test.tick() }
    #expect(server.unsentBytes > 0)
    reader.reset()
    for _ in 0..<200 where server.log.closed == 1 { server.test.tick() }
    #expect(server.log.closed == 2 && server.test.server.connectionCount == 0)
  }

  @Test func `drops a client that takes nothing`() throws {
    let server = try StreamServer { $0.sendTimeout = 60 }
    let client = server.test.connect()
    client.send(request("/megabytes/100"))
    for _ in 0..<2000 where server.log.closed == 0 { server.test.tick() }
    #expect(server.log.closed == 1)
    #expect(server.test.server.closeCounts[Int(CloseReason.slowPeer.rawValue)] == 1)
  }

  @Test func `still reaches a client that has ended its side`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send(request("/stepped"))
    shutdown(client.fd, Int32(SHUT_WR))
    client.read(containing: "one")
    server.valve.open(1)
    client.readToEnd()
    #expect(client.text.hasSuffix("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
  }

  @Test func `is sent to its end while the server drains, and ends its connection`() throws {
    let server = try StreamServer { $0.lingerTimeout = 20 }
    let client = server.test.connect()
    client.send(request("/stepped"))
    client.read(containing: "one")
    var isDrained = false
    server.test.server.drain(within: 5000) { isDrained = true }
    server.test.tick(20)
    #expect(!isDrained)
    server.valve.open(1)
    client.readToEnd()
    #expect(client.isEnded && client.text.hasSuffix("3\r\ntwo\r\n0\r\n\r\n"))
    for _ in 0..<200 where !isDrained { server.test.tick() }
    #expect(isDrained)
  }

  @Test func `is cut off when the time to drain is over`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send(request("/stepped"))
    client.read(containing: "one")
    var isDrained = false
    server.test.server.drain(within: 50) { isDrained = true }
    client.readToEnd()
    #expect(isDrained && client.isEnded && !client.text.hasSuffix("0\r\n\r\n"))
  }

  @Test func `may begin before its request's body has come, which is thrown away`() throws {
    let server = try StreamServer()
    let client = server.test.connect()
    client.send("POST /stream/early HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n")
    client.read(containing: "one")
    // Whether the content ends before the body or behind it.
    client.send([UInt8](repeating: 0x78, count: 300_000))
    server.valve.open(1)
    client.read { $0.text.hasSuffix("two\r\n0\r\n\r\n") }
    client.clear()
    client.send("POST /stream/early HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n")
    client.read(containing: "one")
    server.valve.open(1)
    client.read { $0.text.hasSuffix("two\r\n0\r\n\r\n") }
    client.send([UInt8](repeating: 0x78, count: 300_000) + Array(request("/loop").utf8))
    client.read { $0.text.hasSuffix("loop") }
    #expect(client.statuses == ["200", "200"])
  }
}
