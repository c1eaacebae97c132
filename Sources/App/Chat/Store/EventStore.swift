import GRDB

/// What has happened in conversations but new messages, in the order of the store: changed messages, receipts, changes of
/// conversations and their members. (New messages are their own log, and so are `alert_events`.)
enum EventStore {
  enum Kind: Int64 {
    case messageChanged = 0
    case receipt = 1
    case created = 2
    case updated = 3
    case memberAdded = 4
    case memberRemoved = 5
  }

  /// So many positions back the events are kept; who was away for longer fetches the present state.
  static let kept: Int64 = 2_000_000
  /// So many are taken away at a time, that no transaction becomes long by it.
  private static let takenAway = 1_000

  static func record(_ message: ChangedMessage, by user: Int64, _ db: Database) throws {
    let insert = try RawStatement(
      """
      INSERT INTO events (position, kind, conversation_id, seq, by_id) VALUES (?1, 0, ?2, ?3, ?4)
      """, db)
    insert.bind(message.position, message.conversation, message.seq, user)
    try insert.run()
  }

  static func record(_ receipt: Receipt, _ db: Database) throws {
    let insert = try RawStatement(
      """
      INSERT INTO events (position, kind, conversation_id, user_id, received_seq, read_seq, public_read_seq)
      VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6)
      """, db)
    insert.bind(receipt.position, receipt.conversation, receipt.user, receipt.receivedSeq, receipt.readSeq)
    insert.bind(receipt.publicReadSeq, at: 6)
    try insert.run()
  }

  static func record(_ event: ConversationEvent, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO events (position, kind, conversation_id, user_id, by_id, title, members)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      event.position, event.change.kind.rawValue, event.conversation, event.user?.id, event.by, event.title,
      event.members?.map { String($0.id) }.joined(separator: ","),
    ])
  }

  /// The position from which on all events are there.
  static func start(_ db: Database) throws -> Int64 {
    try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'events_from'")) ?? 0
  }

  /// Takes the oldest events away, some at a time, if there are more than are kept.
  static func prune(_ db: Database, last: Int64) throws {
    let oldest = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(position) FROM events"))
    guard let oldest, oldest < last - kept else { return }
    let end = try Int64.fetchOne(
      db,
      sql: """
        SELECT max(position) FROM (SELECT position FROM events WHERE position < ? ORDER BY position LIMIT ?)
        """, arguments: [last - kept, takenAway])
    guard let end else { return }
    try db.execute(sql: "DELETE FROM events WHERE position <= ?", arguments: [end])
    try db.execute(sql: "UPDATE meta SET value = ? WHERE name = 'events_from'", arguments: [String(end)])
  }
}

/// A change of a conversation or of its members.
struct ConversationEvent: Sendable {
  enum Change: String, Sendable {
    case created, updated
    case memberAdded = "member_added"
    case memberRemoved = "member_removed"

    var kind: EventStore.Kind {
      switch self {
      case .created: .created
      case .updated: .updated
      case .memberAdded: .memberAdded
      case .memberRemoved: .memberRemoved
      }
    }

    init?(_ kind: EventStore.Kind) {
      switch kind {
      case .created: self = .created
      case .updated: self = .updated
      case .memberAdded: self = .memberAdded
      case .memberRemoved: self = .memberRemoved
      case .messageChanged, .receipt: return nil
      }
    }
  }

  struct Person: Sendable {
    let id: Int64
    let username: String
    let displayName: String
  }

  let position: Int64
  let conversation: Int64
  let change: Change
  /// Who did it.
  let by: Int64
  var kind: Conversation.Kind?
  var title: String?
  /// Who was added or removed.
  var user: Person?
  /// Of a new conversation, unless there are too many.
  var members: [Person]?
  /// All members after the change, and who was removed.
  let recipients: MemberList
}
