@testable import Reactor

/// The application behind the WebSockets: echoes messages, and does what their first byte says. It also holds the
/// reactor to its promises: opened once, nothing after `closed`, closed once.
final class FuzzSockets: WebSocketHandler {
  private struct State {
    var isOpen = true
    var work = 0
    var isPaused = false
  }

  private unowned let server: Server
  private var states: [WebSocketID: State] = [:]

  init(_ server: Server) { self.server = server }

  func checkAllClosed() { precondition(states.values.allSatisfy { !$0.isOpen }, "a socket was not closed") }

  /// Ends the work of that connection's socket, and goes on reading.
  func release(_ connection: SourceID) {
    let socket = WebSocketID(connection)
    guard let state = states[socket] else { return }
    for _ in 0..<state.work { server.endWork(socket) }
    if state.isPaused { server.resumeReading(socket) }
    states[socket]?.work = 0
    states[socket]?.isPaused = false
  }

  // MARK: The handler

  override func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
    let offers = request.offeredSubprotocols
    if offers.contains("none") { return .refuse(Response(.forbidden)) }
    return .accept(subprotocol: offers.first, context: nil)
  }

  override func opened(_ socket: WebSocketID, context: (any Sendable)?) {
    precondition(states[socket] == nil, "opened twice")
    states[socket] = State()
    send("hello", to: socket)
  }

  override func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    mustBeOpen(socket)
    precondition(!isText || String(validating: bytes, as: UTF8.self) != nil)
    switch bytes.first {
    case UInt8(ascii: "w"):
      states[socket]?.work += 1
      server.beginWork(socket)
    case UInt8(ascii: "p"):
      // Twice would be a mistake of the application's.
      if states[socket]?.isPaused == false { server.pauseReading(socket) }
      states[socket]?.isPaused = true
    case UInt8(ascii: "d"): server.setDeadline(socket, after: 100)
    case UInt8(ascii: "n"): server.setDeadline(socket, after: nil)
    case UInt8(ascii: "c"): server.close(socket, .normal, "asked")
    case UInt8(ascii: "f"): for _ in 0..<10 { server.send(text: bytes, to: socket) }
    default: server.send(isText ? server.frame(text: bytes) : server.frame(binary: bytes), to: socket)
    }
  }

  override func deadline(_ socket: WebSocketID) {
    mustBeOpen(socket)
    send("deadline", to: socket)
  }

  override func heartbeat(_ socket: WebSocketID) {
    mustBeOpen(socket)
    send("beat", to: socket)
  }

  override func caughtUp(_ socket: WebSocketID) {
    mustBeOpen(socket)
    precondition(!server.isBehind(socket))
  }

  override func closed(_ socket: WebSocketID) {
    mustBeOpen(socket)
    states[socket]?.isOpen = false
    // What an application still sends goes nowhere.
    send("too late", to: socket)
  }

  private func mustBeOpen(_ socket: WebSocketID) {
    precondition(states[socket]?.isOpen == true, "called for a socket that is not open")
  }

  func send(_ text: StaticString, to socket: WebSocketID) {
    server.send(
      text: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), to: socket)
  }
}
