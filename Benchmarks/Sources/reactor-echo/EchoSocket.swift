import Reactor

/// Sends each message back as it came.
final class EchoSocket: WebSocketHandler {
  private unowned(unsafe) let server: Server

  init(server: Server) { self.server = server }

  func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
    .accept(subprotocol: nil, context: nil)
  }
  func opened(_ socket: WebSocketID, context: (any Sendable)?) {}

  func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    server.send(isText ? server.frame(text: bytes) : server.frame(binary: bytes), to: socket)
  }

  func deadline(_ socket: WebSocketID) {}
  func closed(_ socket: WebSocketID) {}
  func heartbeat(_ socket: WebSocketID) {}
}
