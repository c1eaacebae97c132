/// The peer broke a rule: the connection is failed with this code (RFC 6455 §7.1.7).
struct WebSocketError: Error, Sendable {
  let code: CloseCode
  /// Short enough for a close frame.
  let reason: StaticString

  static func protocolError(_ reason: StaticString) -> WebSocketError {
    WebSocketError(code: .protocolError, reason: reason)
  }

  static func tooBig(_ reason: StaticString) -> WebSocketError {
    WebSocketError(code: .messageTooBig, reason: reason)
  }

  static let invalidText = WebSocketError(code: .invalidPayload, reason: "text is not UTF-8")
}
