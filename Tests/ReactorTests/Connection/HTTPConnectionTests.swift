import Glibc
import Testing

@testable import Reactor

@Suite struct `An HTTP connection` {
  private func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nhost: a\r\n\(fields)\r\n"
  }

  @Test(arguments: ["/loop": "loop", "/worker/w%20x": "w x", "/task": "task"])
  func `is answered by every kind of route`(_ path: String, _ body: String) throws {
    let client = try TestServer().connect()
    client.send(get(path))
    client.read(containing: "\r\n\r\n\(body)")
    #expect(client.text.hasPrefix("HTTP/1.1 200 OK\r\n") && client.text.hasSuffix("\r\n\r\n\(body)"))
  }

  @Test(arguments: ["/loop", "/worker/w", "/task", "/none"])
  func `says how long it took to who asks, and to nobody else`(_ path: String) throws {
    let client = try TestServer().connect()
    client.send(get(path, "prefer: server-timing\r\n") + get(path))
    client.read { $0.statuses.count == 2 }
    let told = "preference-applied: server-timing\r\nserver-timing: total;dur="
    #expect(client.text.ranges(of: told).count == 1 && client.text.ranges(of: "timing").count == 2)
    let answers = client.text.split(separator: "HTTP/1.1 ")
    #expect(answers.count == 2 && answers[0].contains(told))
  }

  @Test func `keeps the order of pipelined requests, whatever their routes take`() throws {
    let client = try TestServer().connect()
    client.send(
      get("/task") + get("/worker/1") + get("/loop") + get("/none") + get("/worker/2") + get("/loop"))
    client.read { $0.statuses.count == 6 && $0.text.hasSuffix("loop") }
    #expect(client.statuses == ["200", "200", "200", "404", "200", "200"])
    let bodies = ["task", "1", "loop", "", "2", "loop"]
    var rest = client.text[...]
    for body in bodies where !body.isEmpty {
      let found = try #require(rest.firstRange(of: "\r\n\r\n\(body)"))
      rest = rest[found.upperBound...]
    }
  }

  @Test(arguments: [1, 200, 256, 257, 400, 440, 470, 512, 513, 2000])
  func `sends a head of any length whole, also behind another`(_ length: Int) throws {
    let test = try TestServer()
    let value = String(repeating: "v", count: length)
    let response = Response(
      .ok, fields: [.init("x-long", value), .init("x-short", "end")], body: Array("content".utf8))
    test.server.route(.get, "/long", .loop { _, _ in response })
    let client = test.connect()
    client.send(get("/long") + get("/long") + get("/loop"))
    client.read { $0.statuses.count == 3 && $0.text.hasSuffix("loop") }
    let answer = "\r\nx-long: \(value)\r\nx-short: end\r\ncontent-length: 7\r\n\r\ncontent"
    #expect(client.text.ranges(of: answer).count == 2)
  }

  @Test func `splits at any byte`() throws {
    let client = try TestServer().connect()
    let request =
      "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    for byte in request.utf8 { client.send([byte]) }
    client.read(containing: "abcde")
    #expect(client.statuses == ["200"] && client.text.hasSuffix("\r\n\r\nabcde"))
  }

  @Test func `answers HEAD without content, and another method with Allow`() throws {
    let client = try TestServer().connect()
    client.send("HEAD /loop HTTP/1.1\r\nhost: a\r\n\r\n" + "DELETE /loop HTTP/1.1\r\nhost: a\r\n\r\n")
    client.read { $0.statuses.count == 2 && $0.text.contains("allow: GET, HEAD, OPTIONS") }
    #expect(client.statuses == ["200", "405"])
    #expect(client.text.contains("content-length: 4\r\n") && !client.text.contains("loop"))
  }

  @Test func `says 100 before it waits for a body`() throws {
    let client = try TestServer().connect()
    client.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
    client.read(containing: "100 Continue\r\n\r\n")
    client.send("hi")
    client.read(containing: "hi")
    #expect(client.statuses == ["100", "200"])
  }

  @Test func `refuses at the gate, throws the body away and serves the next request`() throws {
    let client = try TestServer().connect()
    client.send("POST /closed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel")
    client.read(containing: "no")
    client.send("lo" + get("/loop"))
    client.read(containing: "loop")
    #expect(client.statuses == ["403", "200"])
  }

  @Test func `refuses after a body on whose way the gate has closed, and serves the next request`() throws {
    let test = try TestServer()
    let client = test.connect()
    client.send("POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel")
    test.isOpen.value = false
    client.send("lo" + get("/loop"))
    client.read(containing: "loop")
    #expect(client.statuses == ["403", "200"])
    test.isOpen.value = true
    client.send("POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello")
    client.read(containing: "hello")
    #expect(client.statuses == ["403", "200", "200"])
  }

  @Test func `holds large bodies while there is memory for them, and small ones always`() throws {
    let test = try TestServer { $0.bodyMemory = 100_000 }
    func part(_ count: Int, of length: Int) -> TestClient {
      let client = test.connect()
      client.send("POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: \(length)\r\n\r\n")
      client.send([UInt8](repeating: 0x78, count: count))
      test.tick(20)
      return client
    }
    let first = part(150_000, of: 150_001)
    let second = part(150_000, of: 150_001)
    second.readToEnd()
    #expect(second.statuses == ["503"] && second.isEnded)
    let small = part(60_000, of: 60_000)
    small.read { $0.statuses == ["200"] }
    #expect(small.statuses == ["200"])
    first.send("x")
    first.read { $0.statuses == ["200"] }
    #expect(first.statuses == ["200"])
    let third = part(150_000, of: 150_000)
    third.read { $0.statuses == ["200"] }
    #expect(third.statuses == ["200"])
  }

  @Test func `does not answer twice when the rest of a refused body does not come`() throws {
    let client = try TestServer { $0.bodyTimeout = 60 }.connect()
    client.send("POST /closed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel")
    client.readToEnd()
    #expect(client.isEnded && client.statuses == ["403"])
  }

  @Test func `ends after a refusal that the client was waiting for with its body`() throws {
    let client = try TestServer().connect()
    client.send("POST /closed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n")
    client.readToEnd()
    #expect(client.statuses == ["403"] && client.text.contains("connection: close\r\n"))
  }

  @Test(arguments: [
    "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 101\r\n\r\n",
    "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n65\r\n",
  ]) func `refuses a body beyond the limit and ends`(_ request: String) throws {
    let client = try TestServer { $0.bodyBytes = 100 }.connect()
    client.send(request + String(repeating: "x", count: 101))
    client.readToEnd()
    #expect(client.statuses == ["413"])
  }

  @Test func `refuses what it cannot understand in its place in the pipeline, and ends`() throws {
    let client = try TestServer().connect()
    client.send(get("/task") + "GET  / HTTP/1.1\r\n\r\n" + get("/loop"))
    client.readToEnd()
    #expect(client.statuses == ["200", "400"])
  }

  @Test func `still answers a client that has sent its FIN`() throws {
    let client = try TestServer().connect()
    client.send(get("/task") + get("/loop"))
    shutdown(client.fd, Int32(SHUT_WR))
    client.readToEnd()
    #expect(client.statuses == ["200", "200"])
  }

  @Test func `ends a head that does not come, with 408, and an idle connection without a word`() throws {
    let test = try TestServer {
      $0.headerTimeout = 60
      $0.idleTimeout = 60
    }
    let slow = test.connect()
    slow.send("GET / HT")
    slow.readToEnd()
    #expect(slow.statuses == ["408"])
    let idle = test.connect()
    idle.send(get("/loop"))
    idle.readToEnd()
    #expect(idle.statuses == ["200"])
  }

  @Test func `stops reading from a peer that pipelines and never reads`() throws {
    let test = try TestServer()
    let client = test.connect()
    let requests = Array(String(repeating: get("/large"), count: 200).utf8)
    var sent = 0
    for _ in 0..<400 {
      let count = requests.withUnsafeBytes { send(client.fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count > 0 { sent += count }
      test.tick()
    }
    var unsent = 0
    test.loop.forEachSource { if let connection = $0 as? Connection { unsent += connection.unsentBytes } }
    // 400 rounds ask for 1.6 GB.
    #expect(unsent > 0 && unsent <= test.server.limits.highWater + 40_000)
    client.read { $0.received.count > 10_000_000 }
    #expect(client.received.count > 10_000_000, "it goes on when the peer reads")
  }

  @Test func `answers one connection more than the limit with 503`() throws {
    let test = try TestServer { $0.connections = 1 }
    let first = test.connect()
    let second = test.connect()
    second.readToEnd()
    #expect(second.statuses == ["503"])
    #expect(second.text.contains("as many connections"), "an error has a body")
    first.send(get("/loop"))
    first.read(containing: "loop")
    #expect(first.statuses == ["200"])
  }

  @Test func `drains: the request in flight is answered, the rest ends, and then it is told`() throws {
    let test = try TestServer {
      $0.drainIdle = 20
      $0.lingerTimeout = 20
    }
    let waiting = test.connect()
    let idle = test.connect()
    waiting.send(get("/later"))
    test.tick(3)
    var isDrained = false
    test.server.drain(within: 5000) { isDrained = true }
    idle.readToEnd()
    #expect(idle.text.isEmpty && !isDrained)
    test.held.responders[0].answer(Response(.ok, body: Array("late".utf8)))
    waiting.readToEnd()
    #expect(waiting.text.contains("connection: close") && waiting.text.hasSuffix("late"))
    for _ in 0..<200 where !isDrained { test.tick() }
    #expect(isDrained && test.server.connectionCount == 0)
  }

  @Test func `drops an answer that comes twice or for a connection that has gone`() throws {
    let test = try TestServer()
    let client = test.connect()
    client.send(get("/later"))
    test.tick(3)
    let responder = test.held.responders[0]
    responder.answer(Response(.ok, body: Array("one".utf8)))
    responder.answer(Response(.ok, body: Array("two".utf8)))
    client.send(get("/loop"))
    client.read(containing: "loop")
    #expect(client.statuses == ["200", "200"] && !client.text.contains("two"))
  }
}
