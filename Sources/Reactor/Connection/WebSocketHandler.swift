/// What a WebSocket route needs from the application. One object serves every socket of the route; what it keeps for
/// one of them it keeps by the socket's id. All calls come on the loop.
///
/// A class and no protocol, so that a message costs one call through the class's table.
open class WebSocketHandler {
  public init() {}

  /// Looks at the handshake's head. `context` is what the route's gate found.
  open func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
    .accept(subprotocol: nil, context: nil)
  }
  /// The 101 is on its way; events may be sent.
  open func opened(_ socket: WebSocketID, context: (any Sendable)?) {}
  /// One whole message. `bytes` are valid during the call and, for text, valid UTF-8.
  open func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {}
  /// The time set with `Server.setDeadline` has come.
  open func deadline(_ socket: WebSocketID) {}
  /// Once for each socket that was opened, when it is closing or gone: nothing more is received or can be sent.
  open func closed(_ socket: WebSocketID) {}
  /// So little waits for the peer again that more may be sent (`Limits.highWater`), after it was more.
  open func caughtUp(_ socket: WebSocketID) {}
  /// At each heartbeat interval, just before the reactor's own ping frame leaves.
  open func heartbeat(_ socket: WebSocketID) {}
}

/// How a handshake is answered.
public enum WebSocketVerdict {
  /// 101, with that subprotocol if one is named; the context is given to `opened`.
  case accept(subprotocol: String?, context: (any Sendable)?)
  /// This answer instead, over plain HTTP.
  case refuse(Response)
}
