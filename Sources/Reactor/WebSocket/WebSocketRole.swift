/// Which end of the connection we are (RFC 6455 §5.1: a client masks every frame, a server none).
enum WebSocketRole: UInt8, Sendable {
  case server
  case client

  /// Whether the frames that we receive are masked.
  var expectsMask: Bool { self == .server }
}
