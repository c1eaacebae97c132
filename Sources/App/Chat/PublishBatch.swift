import Reactor

/// Messages on their way to the store, and back with what became of them.
///
/// One side owns a batch at a time: the hub fills it, the writer answers it, the hub reads the answers and fills it
/// again. So its storage is kept, and a message allocates nothing. All text lies in `bytes`; entries hold ranges.
final class PublishBatch: @unchecked Sendable {
  struct Entry {
    let origin: Origin
    let sender: Int64
    let conversation: Int64
    let key: ByteRange
    let text: ByteRange
    /// The `seq` of the message that this one answers; 0 for none.
    let replyTo: Int64

    var outcome = Outcome.failed
    var seq: Int64 = 0
    var position: Int64 = 0
    /// Milliseconds of Unix time.
    var timestamp: Int64 = 0
    var members: MemberList?
  }

  /// Who waits for the answer.
  enum Origin {
    /// A socket; `id` is its request's, as it stood between the quotes.
    case socket(WebSocketID, id: ByteRange)
    case rest(Responder)
  }

  enum Outcome {
    case stored
    /// The sender's key was there, with the same message: that one's place.
    case duplicate
    /// The sender's key was there, with another message.
    case conflict
    /// No such conversation, or the sender is no member of it.
    case notFound
    /// `replyTo` names no message of the conversation.
    case noSuchReply
    /// The transaction could not be committed.
    case failed
  }

  var entries: [Entry] = []
  var bytes: [UInt8] = []

  func clear() {
    entries.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: bytes.capacity <= 4 * 1024 * 1024)
  }

  func append(_ text: UnsafeRawBufferPointer) -> ByteRange {
    let range = ByteRange(start: bytes.count, count: text.count)
    bytes.append(contentsOf: text)
    return range
  }

  func fail() {
    for index in entries.indices { entries[index].outcome = .failed }
  }
}

/// The members of a conversation at one moment of the store. Shared by all messages that were stored in that moment.
final class MemberList: Sendable {
  let users: [Int64]
  init(_ users: [Int64]) { self.users = users }
}
