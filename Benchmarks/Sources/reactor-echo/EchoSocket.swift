import Reactor

/// Sends each message back as it came.
final class EchoSocket: WebSocketHandler {
  private let server: Server

  init(server: Server) { self.server = server }

  override func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    isText ? server.send(text: bytes, to: socket) : server.send(binary: bytes, to: socket)
  }
}
