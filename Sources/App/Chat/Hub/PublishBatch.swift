import Reactor

/// What clients want written into conversations, on its way to the store, and back with what became of it.
///
/// One side owns a batch at a time: the hub fills it, the writer answers it, the hub reads the answers and fills it
/// again. So its storage is kept, and a message allocates nothing. All text lies in `bytes`; entries hold ranges.
final class PublishBatch: @unchecked Sendable {
  struct Entry {
    let operation: Operation
    let origin: Origin
    let sender: Int64
    let conversation: Int64
    let key: ByteRange
    let text: ByteRange
    /// The `seq` of the message that this one answers; 0 for none.
    let replyTo: Int64

    var outcome = Outcome.failed
    /// Of the message: the new one's, or the one that is changed, received or read.
    var seq: Int64 = 0
    var position: Int64 = 0
    /// Milliseconds of Unix time.
    var timestamp: Int64 = 0
    var members: MemberList?
    /// What an operation other than `send` leaves to tell; nil where it has changed nothing.
    var effect: Effect?

    /// A message to be stored.
    init(
      origin: Origin, sender: Int64, conversation: Int64, key: ByteRange, text: ByteRange, replyTo: Int64
    ) {
      operation = .send
      self.origin = origin
      self.sender = sender
      self.conversation = conversation
      self.key = key
      self.text = text
      self.replyTo = replyTo
    }

    /// Something done to the message with that `seq`.
    init(
      _ operation: Operation, seq: Int64, text: ByteRange = .empty, origin: Origin, sender: Int64,
      conversation: Int64
    ) {
      self.operation = operation
      self.origin = origin
      self.sender = sender
      self.conversation = conversation
      key = .empty
      self.text = text
      replyTo = 0
      self.seq = seq
    }
  }

  enum Operation: UInt8 {
    case send, edit, delete
    /// The sender has the messages up to `seq`; has read them; has read them and does not show it.
    case receive, read, readPrivately
  }

  /// Who waits for the answer.
  enum Origin {
    /// A socket; `id` is its request's, as it stood between the quotes.
    case socket(WebSocketID, id: ByteRange)
    /// `taken` is when it came, nanoseconds, for a client that prefers to hear of times; else 0.
    case rest(Responder, taken: UInt64)
    /// The transaction that it is part of.
    case nobody
  }

  enum Outcome: Sendable {
    case stored
    /// The sender's key was there, with the same message: that one's place.
    case duplicate
    /// What is asked for is so already: nothing has changed, and nobody is told.
    case unchanged
    /// The sender's key was there, with another message.
    case conflict
    /// No such conversation, or the sender is no member of it; or no such message in it.
    case notFound
    /// `replyTo` names no message of the conversation.
    case noSuchReply
    /// A mark names no message of the conversation.
    case noSuchSeq
    /// The message is not the sender's.
    case forbidden
    /// A deleted message is not edited.
    case deleted
    /// The transaction could not be committed.
    case failed
  }

  enum Effect: Sendable {
    case message(ChangedMessage)
    case receipt(Receipt)
  }

  var entries: [Entry] = []
  var bytes: [UInt8] = []
  var times = WriterTimes()

  func clear() {
    times = WriterTimes()
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

/// The members of a conversation at one moment of the store. Shared by all events that were stored in that moment.
final class MemberList: Sendable {
  /// In ascending order.
  let users: [Int64]
  init(_ users: [Int64]) { self.users = users }

  /// Up to this many members know one another: they see receipts and presence. Among more, each message would bring as
  /// many receipts as members, each to as many members.
  static let mostAcquainted = 256
  var areAcquainted: Bool { users.count <= Self.mostAcquainted }

  func contains(_ user: Int64) -> Bool {
    var low = 0
    var high = users.count
    while low < high {
      let middle = (low + high) / 2
      if users[middle] < user { low = middle + 1 } else { high = middle }
    }
    return low < users.count && users[low] == user
  }
}

/// A message after an edit or its deletion, as the store has it now.
final class ChangedMessage: Sendable {
  let conversation: Int64
  let seq: Int64
  /// That of the change.
  let position: Int64
  /// That of the message's event before it.
  let previousPosition: Int64
  let sender: Int64
  let timestamp: Int64
  let kind: Int64
  let text: String
  let key: String
  let replyTo: Int64
  let editedAt: Int64?
  let deletedAt: Int64?

  init(
    conversation: Int64, seq: Int64, position: Int64, previousPosition: Int64, sender: Int64,
    timestamp: Int64, kind: Int64,
    text: String,
    key: String, replyTo: Int64, editedAt: Int64?, deletedAt: Int64?
  ) {
    self.conversation = conversation
    self.seq = seq
    self.position = position
    self.previousPosition = previousPosition
    self.sender = sender
    self.timestamp = timestamp
    self.kind = kind
    self.text = text
    self.key = key
    self.replyTo = replyTo
    self.editedAt = editedAt
    self.deletedAt = deletedAt
  }
}

/// A member's marks after they have grown.
final class Receipt: Sendable {
  let position: Int64
  let conversation: Int64
  let user: Int64
  let receivedSeq: Int64
  /// As the user's own sessions see it.
  let readSeq: Int64
  /// As the other members see it; nil where they see nothing of this receipt.
  let publicReadSeq: Int64?

  init(
    position: Int64, conversation: Int64, user: Int64, receivedSeq: Int64, readSeq: Int64,
    publicReadSeq: Int64?
  ) {
    self.position = position
    self.conversation = conversation
    self.user = user
    self.receivedSeq = receivedSeq
    self.readSeq = readSeq
    self.publicReadSeq = publicReadSeq
  }
}
