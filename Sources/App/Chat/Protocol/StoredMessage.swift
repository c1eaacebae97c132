import Reactor

/// A message as everybody sees it, over REST and over the socket. Its text may still lie in a batch or in a row.
struct StoredMessage {
  let conversation: Int64
  let seq: Int64
  var position: Int64
  let sender: Int64
  let timestamp: Int64
  let kind: StaticString
  let text: UnsafeRawBufferPointer
  let key: UnsafeRawBufferPointer
  let replyTo: Int64
  var editedAt: Int64?
  var deletedAt: Int64?
}

extension StoredMessage {
  init(_ entry: PublishBatch.Entry, _ text: PublishedText) {
    self.init(
      conversation: entry.conversation, seq: entry.seq, position: entry.position, sender: entry.sender,
      timestamp: entry.timestamp, kind: "text", text: text.text, key: text.key, replyTo: entry.replyTo)
  }
}

extension StoredMessage {
  init(_ message: SystemMessage, _ text: UnsafeRawBufferPointer) {
    self.init(
      conversation: message.conversation, seq: message.seq, position: message.position,
      sender: message.sender, timestamp: message.timestamp, kind: MessageKind.name(message.kind.rawValue),
      text: text, key: UnsafeRawBufferPointer(start: nil, count: 0), replyTo: 0)
  }
}

extension ChangedMessage {
  func withStored<R>(_ body: (StoredMessage) -> R) -> R {
    var text = text
    var key = key
    return text.withUTF8 { text in
      key.withUTF8 { key in
        body(
          StoredMessage(
            conversation: conversation, seq: seq, position: position, sender: sender, timestamp: timestamp,
            kind: MessageKind.name(kind), text: UnsafeRawBufferPointer(text),
            key: UnsafeRawBufferPointer(key),
            replyTo: replyTo, editedAt: editedAt, deletedAt: deletedAt))
      }
    }
  }
}

extension JSONWriter {
  /// The fields of a message, without the braces around them.
  mutating func messageFields(_ message: StoredMessage, includingKey: Bool, _ time: inout TimestampCache) {
    raw("\"position\":")
    integer(message.position)
    raw(",\"conversation\":")
    id(.conversation, message.conversation)
    raw(",\"seq\":")
    integer(message.seq)
    raw(",\"sender\":")
    id(.user, message.sender)
    raw(",\"timestamp\":")
    self.time(message.timestamp, &time)
    raw(",\"kind\":\"")
    raw(message.kind)
    raw("\",\"text\":")
    string(message.text)
    if message.replyTo != 0 {
      raw(",\"reply_to\":")
      integer(message.replyTo)
    }
    if let editedAt = message.editedAt {
      raw(",\"edited_at\":")
      self.time(editedAt, &time)
    }
    if let deletedAt = message.deletedAt {
      raw(",\"deleted_at\":")
      self.time(deletedAt, &time)
    }
    if includingKey { keyField(message.key) }
  }

  /// The last of a message's fields, so that what the others see is a beginning of what its sender sees. What the server
  /// says has none.
  mutating func keyField(_ key: UnsafeRawBufferPointer) {
    if key.isEmpty { return }
    raw(",\"key\":")
    string(key)
  }
}
