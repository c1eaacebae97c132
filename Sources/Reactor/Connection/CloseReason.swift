/// Why a connection ended. The first reason wins.
public enum CloseReason: UInt8, Sendable, CaseIterable {
  /// The peer ended it, or both did in good order.
  case ended
  /// A protocol error or a refused request, answered before the end.
  case protocolError
  /// A deadline passed: head, body, idle, heartbeat or closing.
  case timedOut
  /// The peer took nothing of what waited for it.
  case slowPeer
  /// The socket failed (a reset, most often).
  case socketError
  /// The application closed it.
  case application
  /// The server stops.
  case shutdown
}
