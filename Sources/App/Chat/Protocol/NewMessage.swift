import Reactor

/// The checks that a message must pass before it is published, the same over REST and over the socket.
extension ChatRequest {
  static let maximumIDBytes = 128

  func conversationNumber() throws(Problem) -> Int64 {
    guard let conversation else { throw .validation("/conversation", "is missing") }
    guard let number = EntityID.conversation.parse(conversation.content) else { throw .notFound }
    return number
  }

  /// Gives the request's message to `body`, with key and text free of escapes and the text trimmed.
  func withMessage<R>(
    to conversation: Int64,
    _ body: (_ key: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer, _ replyTo: Int64) -> R
  ) throws(Problem) -> R {
    guard let key else { throw .validation("/key", "is missing") }
    guard let text else { throw .validation("/text", "is missing") }
    if let replyTo, replyTo < 1 { throw .validation("/reply_to", "must be the seq of a message") }
    return try key.withUnescaped { (key) throws(Problem) in
      try MessageText.checkKey(key)
      return try text.withUnescaped { (text) throws(Problem) in
        body(key, try MessageText.trimmed(text), replyTo ?? 0)
      }
    }
  }
}

extension ChatRequest {
  /// The `seq` of the message that the request is about.
  func messageSeq() throws(Problem) -> Int64 {
    guard let seq else { throw .validation("/seq", "is missing") }
    return seq
  }

  /// Gives an edit's new text to `body`, free of escapes and trimmed.
  func withNewText<R>(_ body: (UnsafeRawBufferPointer) -> R) throws(Problem) -> R {
    guard let text else { throw .validation("/text", "is missing") }
    return try text.withUnescaped { (text) throws(Problem) in body(try MessageText.trimmed(text)) }
  }

  func deviceNumber() throws(Problem) -> Int64 {
    guard let device else { throw .validation("/device", "is missing") }
    guard let number = EntityID.device.parse(device.content) else { throw .notFound }
    return number
  }
}

extension ChatRequest.Text {
  /// The text's bytes: where they lie if there is no escape in them, as is usual.
  fileprivate func withUnescaped<R>(
    _ body: (UnsafeRawBufferPointer) throws(Problem) -> R
  ) throws(Problem) -> R {
    guard hasEscapes else { return try body(content) }
    let bytes = unescaped()
    var result: Result<R, Problem>?
    bytes.withUnsafeBytes { bytes in
      do throws(Problem) { result = .success(try body(bytes)) } catch { result = .failure(error) }
    }
    guard let result else { throw .internal }
    return try result.get()
  }
}
