/// What a WebSocket route needs from the application. One object serves every socket of the route; what it keeps for
/// one of them it keeps by the socket's id. All calls come on the loop.
public protocol WebSocketHandler: AnyObject {
  /// Looks at the handshake's head. `context` is what the route's gate found.
  func accept(_ request: borrowing RequestView) -> WebSocketVerdict
  /// The 101 is on its way; events may be sent.
  func opened(_ socket: WebSocketID, context: (any Sendable)?)
  /// One whole message. `bytes` are valid during the call and, for text, valid UTF-8.
  func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool)
  /// The time set with `Server.setDeadline` has come.
  func deadline(_ socket: WebSocketID)
  /// Once for each socket that was opened, when it is closing or gone: nothing more is received or can be sent.
  func closed(_ socket: WebSocketID)
  /// So little waits for the peer again that more may be sent (`Limits.highWater`), after it was more.
  func caughtUp(_ socket: WebSocketID)
  /// At each heartbeat interval, just before the reactor's own ping frame leaves.
  func heartbeat(_ socket: WebSocketID)
}

extension WebSocketHandler {
  public func caughtUp(_ socket: WebSocketID) {}
}

/// How a handshake is answered.
public enum WebSocketVerdict {
  /// 101, with that subprotocol if one is named; the context is given to `opened`.
  case accept(subprotocol: String?, context: (any Sendable)?)
  /// This answer instead, over plain HTTP.
  case refuse(Response)
}
