import CLinux
import Glibc
import Testing

@testable import Reactor

/// A server whose loop is ticked by hand, and the sockets of its clients.
final class TestServer {
  let loop: EventLoop
  let server: Server
  let port: UInt16
  let worker = WorkerQueue(name: "worker")
  let sockets: EchoHandler
  /// Requests whose answer is held back until `release`.
  final class Held { var responders: [Responder] = [] }
  let held = Held()
  /// Whether the gate of `/open` lets anybody in.
  final class Flag { var value = true }
  let isOpen = Flag()

  init(_ change: (inout Limits) -> Void = { _ in }) throws {
    var limits = Limits()
    change(&limits)
    loop = try EventLoop()
    server = Server(loop: loop, limits: limits) { status, sentence, fields in
      Response(status, fields: fields, body: Array(sentence.utf8), contentType: "text/plain")
    }
    sockets = EchoHandler(server)
    let held = held
    server.route(.get, "/loop", .loop { _, _ in Response(.ok, body: Array("loop".utf8)) })
    server.route(
      .get, "/worker/{name}", .worker(worker) { Response(.ok, body: Array($0.parameters[0].utf8)) })
    server.route(
      .get, "/task",
      .task { [worker] _ in
        let text = (try? await worker.run { "task" }) ?? "none"
        return Response(.ok, body: Array(text.utf8))
      })
    server.route(
      .get, "/later",
      .loop { _, responder in
        held.responders.append(responder)
        return nil
      })
    server.route(.post, "/echo", .loop { view, _ in Response(.ok, body: Array(view.body)) })
    server.route(
      .post, "/closed", gate: { _ in .refuse(Response(.forbidden, body: Array("no".utf8))) },
      .loop { _, _ in Response(.ok) })
    server.route(
      .post, "/open", gate: { [isOpen] _ in isOpen.value ? .pass(nil) : .refuse(Response(.forbidden)) },
      .task { Response(.ok, body: $0.body) })
    server.route(
      .get, "/address", gate: { .pass($0.peerAddress) },
      .loop { view, _ in
        Response(.ok, body: Array("\(view.context as? PeerAddress, default: "none")".utf8))
      })
    server.route(
      .get, "/large", .loop { _, _ in Response(.ok, body: [UInt8](repeating: 0x78, count: 20_000)) })
    server.route(.get, "/ws", .webSocket(sockets))
    port = try server.listen(host: "127.0.0.1", port: 0)
  }

  deinit {
    worker.close()
    server.forgetAll()
  }

  func connect() -> TestClient { TestClient(linux_connect(nil, "127.0.0.1", String(port)), self) }

  func tick(_ count: Int = 1) { for _ in 0..<count { loop.tick(limit: 1) } }
}

/// Echoes messages, and keeps what happened.
final class EchoHandler: WebSocketHandler {
  unowned let server: Server
  var open: [WebSocketID] = []
  var received = 0
  var closed = 0
  var heartbeats = 0
  var deadlines = 0

  init(_ server: Server) { self.server = server }

  override func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
    .accept(subprotocol: nil, context: nil)
  }
  override func opened(_ socket: WebSocketID, context: (any Sendable)?) { open.append(socket) }
  override func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    received += 1
    server.send(server.frame(text: bytes), to: socket)
  }
  override func deadline(_ socket: WebSocketID) { deadlines += 1 }
  override func closed(_ socket: WebSocketID) { closed += 1 }
  override func heartbeat(_ socket: WebSocketID) { heartbeats += 1 }
}

/// One raw client socket.
final class TestClient {
  let fd: Int32
  private let test: TestServer
  private(set) var received: [UInt8] = []
  private(set) var isEnded = false
  private var isReset = false
  /// What the last read failed with; 0 if none has.
  private(set) var error: Int32 = 0

  init(_ fd: Int32, _ test: TestServer) {
    self.fd = fd
    self.test = test
    test.tick(2)
  }

  deinit { if !isReset { close(fd) } }

  var text: String { String(decoding: received, as: UTF8.self) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 { sent += count } else if errno != EAGAIN { return }
      test.tick()
    }
  }

  /// Sends what the kernel takes at once; returns how much that was.
  func sendOnce(_ bytes: ArraySlice<UInt8>) -> Int {
    max(0, bytes.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) })
  }

  /// Ends the connection with a reset: the server's next read or write fails.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close(fd)
    isReset = true
  }

  /// Ticks and reads until the condition holds or nothing has come for a long while.
  func read(until condition: (TestClient) -> Bool) {
    for _ in 0..<1500 {
      if isEnded || condition(self) { return }
      test.tick()
      readOnce()
    }
  }

  private func readOnce() { received += takeOnce() }

  /// Reads what is there, and does not keep it.
  func takeOnce() -> ArraySlice<UInt8> {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(fd, &buffer, buffer.count, 0)
    if count < 0 && errno != EAGAIN { error = errno }
    if count == 0 || error != 0 { isEnded = true }
    return buffer[..<max(0, count)]
  }

  func read(containing text: String) { read { $0.text.contains(text) } }
  func readToEnd() { read { _ in false } }
  func clear() { received = [] }

  /// The status codes of all answers that have come, in order.
  var statuses: [String] {
    text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
  }
}

extension String {
  fileprivate func components(separatedBy mark: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let found = rest.firstRange(of: mark) {
      parts.append(rest[..<found.lowerBound])
      rest = rest[found.upperBound...]
    }
    return parts + [rest]
  }
}
