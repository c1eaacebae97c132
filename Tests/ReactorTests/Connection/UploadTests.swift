import Glibc
import Testing

@testable import Reactor

/// A server with routes that pull their bodies, and what their handlers met.
private final class UploadServer {
  let test: TestServer
  let valve = Valve()
  final class Log {
    var started = 0
    var errors: [RequestBodyError] = []
    var pulled = 0
    var largestPiece = 0
  }
  let log = Log()

  init(bodyLimit: Int? = nil, _ change: (inout Limits) -> Void = { _ in }) throws {
    test = try TestServer(change)
    let log = LoopBound(log)
    let valve = LoopBound(valve)
    let echo: @Sendable (Request, RequestBody) async -> Response = { _, body in
      log.value.started += 1
      var content: [UInt8] = []
      do throws(RequestBodyError) {
        while let piece = try await body.next() {
          log.value.pulled += piece.count
          log.value.largestPiece = max(log.value.largestPiece, piece.count)
          content += piece
        }
        return Response(.ok, body: content)
      } catch {
        log.value.errors.append(error)
        return Response(error.status, body: Array(error.reason.utf8))
      }
    }
    test.server.route(.post, "/pull", bodyLimit: bodyLimit, .upload(echo))
    test.server.route(
      .post, "/stepped", bodyLimit: bodyLimit,
      .upload { request, body in
        await valve.value.pass()
        return await echo(request, body)
      })
    test.server.route(
      .post, "/early", bodyLimit: bodyLimit,
      .upload { _, body in
        _ = try? await body.next()
        return Response(.conflict, body: Array("early".utf8))
      })
    test.server.route(
      .post, "/gated", gate: { _ in .refuse(Response(.forbidden)) }, bodyLimit: bodyLimit, .upload(echo))
  }

  var connections: [Connection] {
    var found: [Connection] = []
    test.loop.forEachSource { if let connection = $0 as? Connection { found.append(connection) } }
    return found
  }
}

private func head(_ path: String, _ fields: String) -> String {
  "POST \(path) HTTP/1.1\r\nhost: a\r\n\(fields)\r\n\r\n"
}

private let next = "GET /loop HTTP/1.1\r\nhost: a\r\n\r\n"

@Suite struct `A body that its handler pulls` {
  @Test(arguments: [
    head("/pull", "content-length: 5") + "hello",
    head("/pull", "transfer-encoding: chunked") + "3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nt: u\r\n\r\n",
  ])
  func `comes out as it went in, whole, byte by byte and in two parts, and the next request follows`(
    _ request: String
  ) throws {
    let bytes = Array((request + next).utf8)
    for cuts in [[], Array(1..<bytes.count)] + (1..<bytes.count).map({ [$0] }) {
      let upload = try UploadServer()
      let client = upload.test.connect()
      var start = 0
      for cut in cuts + [bytes.count] {
        client.send(Array(bytes[start..<cut]))
        start = cut
      }
      client.read { $0.text.hasSuffix("loop") }
      #expect(client.statuses == ["200", "200"], "cut at \(cuts.first ?? 0)")
      #expect(client.text.contains("\r\n\r\nhelloHTTP/1.1"), "cut at \(cuts.first ?? 0)")
    }
  }

  @Test func `may be empty`() throws {
    let client = try UploadServer().test.connect()
    client.send(
      head("/pull", "content-length: 0") + head("/pull", "transfer-encoding: chunked") + "0\r\n\r\n")
    client.read { $0.statuses.count == 2 }
    #expect(client.statuses == ["200", "200"])
  }

  @Test func `starts its handler at the head, and says 100 to a client that waits`() throws {
    let upload = try UploadServer()
    let client = upload.test.connect()
    client.send(head("/pull", "content-length: 2\r\nexpect: 100-continue"))
    client.read(containing: "100 Continue\r\n\r\n")
    #expect(upload.log.started == 1)
    client.send("hi")
    client.read(containing: "hi")
    #expect(client.statuses == ["100", "200"])
  }

  @Test func `does not begin where the gate refuses`() throws {
    let upload = try UploadServer()
    let client = upload.test.connect()
    client.send(head("/gated", "content-length: 2") + "hi" + next)
    client.read(containing: "loop")
    #expect(client.statuses == ["403", "200"] && upload.log.started == 0)
  }

  @Test func `is not read beyond the window while nobody pulls`() throws {
    let size = 8 << 20
    let upload = try UploadServer(bodyLimit: size)
    let client = upload.test.connect()
    let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 8) }
    client.send(head("/stepped", "content-length: \(size)"))
    let waiting = try #require(upload.connections.first)
    var sent = 0
    for _ in 0..<400 {
      sent += client.sendOnce(content[sent...])
      upload.test.tick()
    }
    let held = try #require(waiting.exchange?.intake?.count)
    let window = upload.test.server.limits.bodyWindow
    #expect(held >= window && held < window + upload.test.server.limits.receiveBytes)
    #expect(waiting.inbox.isEmpty && sent < size, "the rest is the kernel's and the client's")
    upload.valve.open(1)
    client.send(Array(content[sent...]))
    client.read { $0.received.count > size }
    #expect(client.received.suffix(size) == content[...])
    #expect(upload.log.largestPiece <= 64 * 1024)
  }

  @Test func `joins tiny chunks while they wait`() throws {
    let upload = try UploadServer()
    let client = upload.test.connect()
    client.send(head("/stepped", "transfer-encoding: chunked"))
    client.send(String(repeating: "1\r\nx\r\n", count: 5000) + "0\r\n\r\n")
    upload.test.tick(20)
    upload.valve.open(1)
    client.read { $0.text.hasSuffix("xxx") }
    #expect(client.text.hasSuffix(String(repeating: "x", count: 5000)) && upload.log.largestPiece == 5000)
  }

  @Test func `may be answered before its end, and the next request follows`() throws {
    let client = try UploadServer().test.connect()
    client.send(head("/early", "content-length: 10") + "hello")
    client.read(containing: "early")
    client.send("world" + next)
    client.read(containing: "loop")
    client.send(head("/early", "transfer-encoding: chunked") + "5\r\nhello\r\n")
    client.read { $0.statuses.count == 3 }
    client.send("5\r\nworld\r\n0\r\n\r\n" + next)
    client.read { $0.statuses.count == 4 && $0.text.hasSuffix("loop") }
    #expect(client.statuses == ["409", "200", "409", "200"])
  }

  @Test func `ends the connection where the rest of an answered one is long`() throws {
    let announced = try UploadServer(bodyLimit: 1 << 30) { $0.bodyBytes = 1000 }.test.connect()
    announced.send(head("/early", "content-length: 2000") + "hello")
    announced.readToEnd()
    #expect(announced.isEnded && announced.statuses == ["409"])
    #expect(announced.text.contains("connection: close\r\n"))

    let chunked = try UploadServer(bodyLimit: 1 << 30) { $0.bodyBytes = 1000 }.test.connect()
    chunked.send(head("/early", "transfer-encoding: chunked") + "5\r\nhello\r\n")
    chunked.read(containing: "early")
    for _ in 0..<11 { chunked.send("64\r\n" + String(repeating: "x", count: 100) + "\r\n") }
    chunked.readToEnd()
    #expect(chunked.isEnded && chunked.statuses == ["409"])
  }

  @Test(arguments: [
    (head("/pull", "transfer-encoding: chunked") + "4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n", "413"),
    (head("/pull", "transfer-encoding: chunked") + "4\r\nabcd\r\nx\r\n", "400"),
    (head("/pull", "transfer-encoding: chunked") + "4\r\nabcdef\r\n", "400"),
  ])
  func `throws the refusal, whose answer is the last`(_ request: String, _ status: String) throws {
    let upload = try UploadServer(bodyLimit: 5)
    let client = upload.test.connect()
    client.send(request + next)
    client.readToEnd()
    #expect(client.isEnded && client.statuses == [status] && client.text.contains("connection: close\r\n"))
    #expect(upload.log.errors.map { "\($0.status.rawValue)" } == [status])
  }

  @Test func `is refused without its handler if it is announced too long`() throws {
    let upload = try UploadServer(bodyLimit: 5)
    let client = upload.test.connect()
    client.send(head("/pull", "content-length: 6") + "hello")
    client.readToEnd()
    #expect(client.statuses == ["413"] && upload.log.started == 0)
  }

  @Test func `throws when nothing comes, and that is answered with 408`() throws {
    let upload = try UploadServer { $0.bodyTimeout = 60 }
    let client = upload.test.connect()
    client.send(head("/pull", "content-length: 6") + "hello")
    client.readToEnd()
    #expect(client.isEnded && client.statuses == ["408"])
    #expect(upload.test.server.closeCounts[Int(CloseReason.timedOut.rawValue)] == 1)
  }

  @Test func `does not charge the client for the time in which nobody pulls`() throws {
    let upload = try UploadServer {
      $0.bodyTimeout = 60
      $0.bodyWindow = 4
    }
    let client = upload.test.connect()
    client.send(head("/stepped", "content-length: 10") + "hello")
    let start = upload.test.loop.now
    while upload.test.loop.now < start + 300 { upload.test.tick() }
    upload.valve.open(1)
    upload.test.tick(3)
    client.send("world")
    client.read(containing: "helloworld")
    #expect(client.statuses == ["200"])
  }

  @Test func `throws when the client goes`() throws {
    let upload = try UploadServer()
    var client: TestClient? = upload.test.connect()
    client?.send(head("/pull", "content-length: 10") + "hello")
    upload.test.tick(3)
    client?.reset()
    client = nil
    for _ in 0..<100 where upload.log.errors.isEmpty { upload.test.tick() }
    #expect(upload.log.errors == [.incomplete])
    for _ in 0..<100 where upload.test.server.connectionCount > 0 { upload.test.tick() }
    #expect(upload.test.server.connectionCount == 0)
  }

  @Test func `is answered where the client only ended its side`() throws {
    let upload = try UploadServer()
    let client = upload.test.connect()
    client.send(head("/pull", "content-length: 10") + "hello")
    shutdown(client.fd, Int32(SHUT_WR))
    client.readToEnd()
    #expect(client.statuses == ["400"] && upload.log.errors == [.incomplete])
  }

  @Test func `lets go of a client that has gone while nobody pulls`() throws {
    let upload = try UploadServer { $0.bodyWindow = 4 }
    let client = upload.test.connect()
    client.send(head("/stepped", "content-length: 10") + "hello")
    upload.test.tick(3)
    client.reset()
    for _ in 0..<100 where upload.test.server.connectionCount > 0 { upload.test.tick() }
    #expect(upload.test.server.connectionCount == 0)
    // A handler that waits for ever would keep its server for ever.
    upload.valve.open(1)
    upload.test.tick(3)
  }

  @Test func `does not keep its connection when the handler never comes back`() throws {
    let upload = try UploadServer()
    let client = upload.test.connect()
    client.send(head("/stepped", "content-length: 10") + "hello")
    upload.test.tick(3)
    weak let connection = upload.connections.first
    client.reset()
    for _ in 0..<100 where connection != nil { upload.test.tick() }
    #expect(connection == nil && upload.test.server.connectionCount == 0)
    // Now it does, and finds what has become of its body.
    upload.valve.open(1)
    upload.test.tick(3)
    #expect(upload.log.errors == [.incomplete])
  }
}
