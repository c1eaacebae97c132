import CLinux
import Glibc
import Testing

@testable import Reactor

/// A client and what it was told, on the loop of a real server.
private final class ClientRun {
  let test: TestServer
  let client: HTTPClient
  var results: [Result<HTTPClientResponse, HTTPClientError>] = []

  init(port: UInt16? = nil, _ change: (inout HTTPClient.Limits) -> Void = { _ in }) throws {
    test = try TestServer { $0.bodyBytes = 16 << 20 }
    var limits = HTTPClient.Limits()
    change(&limits)
    client = HTTPClient(loop: test.loop, host: "127.0.0.1", port: port ?? test.port, limits: limits)
  }

  func send(_ method: Method, _ path: String, fields: [Response.Field] = [], body: [UInt8] = []) {
    client.send(HTTPClientRequest(method, path, fields: fields, body: body)) { [unowned self] in
      results.append($0)
    }
  }

  func wait(for count: Int) { for _ in 0..<1500 where results.count < count { test.tick() } }

  /// Each answer as `status body`, or the error.
  var texts: [String] {
    results.map { result in
      switch result {
      case .success(let response):
        "\(response.status.rawValue) " + String(decoding: response.body, as: UTF8.self)
      case .failure(let error): "\(error)"
      }
    }
  }
}

/// A server that says what the test says.
private final class ScriptedServer {
  private let listener = linux_listen("127.0.0.1", "0", 8)
  private var fd: Int32 = -1
  var port: UInt16 { UInt16(linux_local_port(listener)) }

  deinit {
    close(listener)
    if fd >= 0 { close(fd) }
  }

  /// Waits for the request, answers in single bytes, and ends if it is told to.
  func answer(_ text: String, thenEnds: Bool, _ run: ClientRun) {
    for _ in 0..<500 where fd < 0 {
      run.test.tick()
      fd = linux_accept(listener)
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<500 where recv(fd, &buffer, buffer.count, 0) <= 0 { run.test.tick() }
    for byte in text.utf8 {
      _ = withUnsafeBytes(of: byte) { send(fd, $0.baseAddress, 1, Int32(MSG_NOSIGNAL)) }
      run.test.tick()
    }
    if thenEnds { shutdown(fd, Int32(SHUT_WR)) }
  }
}

@Suite struct `The HTTP client` {
  @Test func `uses one connection for one request after the other`() throws {
    let run = try ClientRun()
    for (index, path) in ["/loop", "/task", "/worker/a%20b?c=d", "/none"].enumerated() {
      run.send(.get, path)
      run.wait(for: index + 1)
    }
    #expect(run.texts == ["200 loop", "200 task", "200 a b", "404 There is nothing at this path."])
    #expect(run.client.connectionCount == 1 && run.test.server.connectionCount == 1)
  }

  @Test func `has a connection for each request in flight, up to its limit`() throws {
    let run = try ClientRun { $0.connections = 3 }
    for _ in 0..<4 { run.send(.get, "/task") }
    #expect(run.texts == ["busy"])
    run.wait(for: 4)
    #expect(run.texts == ["busy", "200 task", "200 task", "200 task"] && run.client.connectionCount == 3)
    run.send(.get, "/loop")
    run.wait(for: 5)
    #expect(run.texts.last == "200 loop" && run.client.connectionCount == 3)
  }

  @Test func `sends the next request from an answer's completion`() throws {
    let run = try ClientRun { $0.connections = 1 }
    var second = ""
    run.client.send(HTTPClientRequest(.get, "/loop")) { [client = run.client] _ in
      client.send(HTTPClientRequest(.get, "/task")) {
        second = String(decoding: (try? $0.get())?.body ?? [], as: UTF8.self)
      }
    }
    for _ in 0..<500 where second.isEmpty { run.test.tick() }
    #expect(second == "task")
  }

  @Test func `carries content both ways, and fields`() throws {
    let run = try ClientRun()
    let content = (0..<5 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 8) }
    run.send(.post, "/echo", body: content)
    run.send(.post, "/echo")
    run.wait(for: 2)
    let answers = run.results.compactMap { try? $0.get() }
    #expect(answers.map(\.body.count).sorted() == [0, content.count])
    #expect(answers.contains { $0.body == content })
    run.send(.head, "/loop", fields: [.init("accept", "text/plain")])
    run.wait(for: 3)
    #expect(run.texts.last == "200 ")
    #expect((try? run.results.last?.get())?.value(of: "content-length") == "4")
  }

  @Test func `can be awaited by a task on the loop`() throws {
    let run = try ClientRun()
    let bound = LoopBound(run)
    Task(executorPreference: run.test.loop.executor) {
      for path in ["/loop", "not a path"] {
        let run = bound.value
        do throws(HTTPClientError) {
          run.results.append(.success(try await run.client.send(HTTPClientRequest(.get, path))))
        } catch {
          run.results.append(.failure(error))
        }
      }
    }
    run.wait(for: 2)
    #expect(run.texts == ["200 loop", "invalidRequest"])
  }

  @Test func `writes no request that could be read as two`() throws {
    let run = try ClientRun()
    run.send(.get, "/a b")
    run.send(.get, "/a\r\nb: c")
    run.send(.get, "a")
    run.send(.connect, "/")
    run.send(.get, "/", fields: [.init("a", "b\r\nc: d")])
    run.send(.get, "/", fields: [.init("Content-Length", "5")])
    #expect(run.texts == [String](repeating: "invalidRequest", count: 6) && run.client.connectionCount == 0)
  }

  @Test func `says that nobody listens`() throws {
    let run = try ClientRun(port: 1)
    run.send(.get, "/loop")
    run.wait(for: 1)
    #expect(run.texts == ["cannotConnect(\"Connection refused\")"] && run.client.connectionCount == 0)
  }

  @Test func `gives up an answer that does not come in time`() throws {
    let run = try ClientRun { $0.timeout = 60 }
    run.send(.get, "/later")
    run.wait(for: 1)
    #expect(run.texts == ["timedOut"] && run.client.connectionCount == 0)
  }

  @Test func `meets an idle connection's end between two requests`() throws {
    let run = try ClientRun()
    run.send(.get, "/loop")
    run.wait(for: 1)
    run.test.loop.forEachSource { ($0 as? Connection)?.finish(.ended) }
    run.test.tick(5)
    #expect(run.client.connectionCount == 0)
    run.send(.get, "/loop")
    run.wait(for: 2)
    #expect(run.texts == ["200 loop", "200 loop"])
  }

  @Test(arguments: [
    ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end", true, "200 to the end"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false, "200 hi"),
    ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell", true, "connectionClosed"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", true, "connectionClosed"),
    ("HTTP/1.1 200", true, "connectionClosed"), ("", true, "connectionClosed"),
    ("SSH-2.0-OpenSSH\r\n\r\n", false, "invalidResponse(\"malformed status line\")"),
    ("HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n", false, "invalidResponse(\"content too large\")"),
  ])
  func `takes what a server sends for what it is`(_ text: String, _ ends: Bool, _ expected: String) throws {
    let server = ScriptedServer()
    let run = try ClientRun(port: server.port) { $0.contentBytes = 100 }
    run.send(.get, "/")
    server.answer(text, thenEnds: ends, run)
    run.wait(for: 1)
    #expect(run.texts == [expected])
  }

  @Test func `does not take what nobody asked for as the next answer`() throws {
    let server = ScriptedServer()
    let run = try ClientRun(port: server.port)
    run.send(.get, "/")
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    server.answer(answer + answer, thenEnds: false, run)
    run.wait(for: 1)
    #expect(run.texts == ["200 "] && run.client.connectionCount == 0)
  }

  @Test func `ends what is under way when it is closed, and its connections with itself`() throws {
    let run = try ClientRun()
    run.send(.get, "/later")
    run.test.tick(3)
    run.client.close()
    #expect(run.texts == ["cancelled"])
    var dropped: HTTPClient? = HTTPClient(loop: run.test.loop, host: "127.0.0.1", port: run.test.port)
    dropped?.send(HTTPClientRequest(.get, "/later")) { run.results.append($0) }
    run.test.tick(3)
    dropped = nil
    #expect(run.texts == ["cancelled", "cancelled"])
    for _ in 0..<200 where run.test.held.responders.count < 2 { run.test.tick() }
    for responder in run.test.held.responders { responder.answer(Response(.ok)) }
    for _ in 0..<200 where run.test.server.connectionCount > 0 { run.test.tick() }
    #expect(run.test.server.connectionCount == 0)
  }
}
