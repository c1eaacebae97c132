import GRDB

/// Finds what has happened since a position, for one user, on a reader's thread: first where it all lies (`plan`), then
/// page by page what it says, so that no length of absence fills the memory.
enum EventReader {
  /// One event of the plan: where to find it.
  struct Item: Sendable {
    enum Source: UInt8, Sendable { case message, event, alert }

    let position: Int64
    let conversation: Int64
    let source: Source
  }

  enum Plan: Sendable {
    /// All events of the user after the position asked for, in order, up to the store's own position.
    case events([Item], through: Int64)
    case resync(ResyncReason)
  }

  /// - Parameter limit: more events than this are not replayed.
  static func plan(for user: Int64, after position: Int64, limit: Int, _ db: Database) throws -> Plan {
    let last = try Positions.last(in: db)
    // From another history: the store was put back to an earlier state without a new epoch.
    if position > last { return .resync(.epochChanged) }
    if try position < EventStore.start(db) { return .resync(.tooOld) }
    var search = Search(user: user, after: position, limit: limit, db: db)
    try search.conversations()
    try search.removals()
    try search.alerts()
    if search.items.count > limit { return .resync(.tooMany) }
    return .events(search.items.sorted { $0.position < $1.position }, through: last)
  }

  private struct Search {
    let user: Int64
    let after: Int64
    let limit: Int
    let db: Database
    var items: [Item] = []

    init(user: Int64, after: Int64, limit: Int, db: Database) {
      self.user = user
      self.after = after
      self.limit = limit
      self.db = db
    }

    mutating func conversations() throws {
      let lastEvent = try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(position) FROM events")) ?? 0
      let find = try RawStatement(
        """
        SELECT m.conversation_id, m.joined_position, coalesce(
          (SELECT position FROM messages WHERE conversation_id = m.conversation_id ORDER BY seq DESC LIMIT 1), 0)
        FROM members m WHERE m.user_id = ?1
        """, db)
      find.bind(user)
      while try find.step(), items.count <= limit {
        let conversation = find.integer(0)
        let joined = find.integer(1)
        let memberships = try memberships(in: conversation, joined: joined)
        guard let first = memberships.first else { continue }
        if find.integer(2) >= first.lowerBound { try messages(of: conversation, during: memberships) }
        if lastEvent > after { try events(of: conversation, during: memberships) }
      }
      find.reset()
    }

    /// The positions behind the one asked for at which the user was a member: who was removed meanwhile and came back is
    /// told what it would have been told.
    private func memberships(in conversation: Int64, joined: Int64) throws -> [Range<Int64>] {
      if joined <= after { return [after + 1..<Int64.max] }
      let find = try RawStatement(
        """
        SELECT position, kind FROM events
        WHERE conversation_id = ?1 AND user_id = ?2 AND position > ?3 AND kind IN (4, 5) ORDER BY position
        """, db)
      find.bind(conversation, user, after)
      var memberships: [Range<Int64>] = []
      var start: Int64? = after + 1
      try find.eachRow { row in
        let position = row.integer(0)
        if row.integer(1) == EventStore.Kind.memberAdded.rawValue {
          start = position
        } else if let begun = start {
          memberships.append(begun..<position)
          start = nil
        }
        return true
      }
      // Added before anything else, or made with the conversation: it was none before.
      return memberships.filter { !$0.isEmpty } + [joined..<Int64.max]
    }

    /// From the newest back, in the index alone: as many steps as there are news.
    private mutating func messages(of conversation: Int64, during memberships: [Range<Int64>]) throws {
      let find = try RawStatement(
        "SELECT position FROM messages WHERE conversation_id = ?1 ORDER BY seq DESC", db)
      find.bind(conversation)
      try find.eachRow { row in
        let position = row.integer(0)
        guard position >= memberships[0].lowerBound, items.count <= limit else { return false }
        if memberships.contains(where: { $0.contains(position) }) {
          items.append(Item(position: position, conversation: conversation, source: .message))
        }
        return true
      }
    }

    private mutating func events(of conversation: Int64, during memberships: [Range<Int64>]) throws {
      let find = try RawStatement(
        """
        SELECT position FROM events WHERE conversation_id = ?1 AND position >= ?2 AND position < ?4
          AND (kind <> 1 OR public_read_seq IS NOT NULL OR user_id = ?3)
        """, db)
      for membership in memberships {
        find.bind(conversation, membership.lowerBound, user, membership.upperBound)
        try append(find, conversation, .event)
      }
    }

    /// Of conversations that are the user's no more, and of times before it came back to one.
    mutating func removals() throws {
      let find = try RawStatement(
        "SELECT position FROM events WHERE kind = 5 AND user_id = ?1 AND position > ?2", db)
      find.bind(user, after)
      try append(find, 0, .event)
    }

    mutating func alerts() throws {
      let find = try RawStatement(
        """
        SELECT e.position FROM alert_events e JOIN alerts a ON a.id = e.alert_id JOIN devices d ON d.id = a.device_id
        WHERE e.position > ?2
          AND (d.owner_id = ?1 OR (SELECT role FROM users WHERE id = ?1 AND deleted_at IS NULL) = 'admin')
        """, db)
      find.bind(user, after)
      try append(find, 0, .alert)
    }

    private mutating func append(
      _ find: RawStatement, _ conversation: Int64, _ source: Item.Source
    ) throws {
      try find.eachRow { row in
        items.append(Item(position: row.integer(0), conversation: conversation, source: source))
        return items.count <= limit
      }
    }
  }

  // MARK: Pages

  /// The events' JSON, from the items' front on, until they are `bytes` long together; at least one.
  /// - Returns: the events, and how many items they stand for: what the user may see no more is passed over.
  static func page(
    _ items: ArraySlice<Item>, for user: Int64, bytes: Int, _ db: Database
  ) throws -> (events: [[UInt8]], taken: Int) {
    var encoder = ChatEncoder()
    var members: [Int64: Bool] = [:]
    var events: [[UInt8]] = []
    var length = 0
    var taken = 0
    for item in items where length < bytes {
      taken += 1
      if item.conversation != 0 {
        if members[item.conversation] == nil {
          members[item.conversation] = try ConversationStore.isMember(user, of: item.conversation, in: db)
        }
        if members[item.conversation] != true { continue }
      }
      guard let event = try event(item, for: user, &encoder, db) else { continue }
      length += event.count
      events.append(event)
    }
    return (events, taken)
  }

  private static func event(
    _ item: Item, for user: Int64, _ encoder: inout ChatEncoder, _ db: Database
  ) throws -> [UInt8]? {
    switch item.source {
    case .message:
      let find = try RawStatement(MessageReader.columns + " WHERE position = ?1", db)
      find.bind(item.position)
      return try message(find, at: item.position, for: user, &encoder)
    case .alert: return try AlertStore.event(at: item.position, db).map { [UInt8](encoder.alert($0)) }
    case .event: return try storedEvent(item.position, for: user, &encoder, db)
    }
  }

  private static func message(
    _ find: RawStatement, at position: Int64, for user: Int64, _ encoder: inout ChatEncoder
  ) throws -> [UInt8]? {
    defer { find.reset() }
    guard try find.step() else { return nil }
    var message = StoredMessage(find.pointer)
    // As it stands now, in the place of the event: what was deleted since is not shown again.
    message.position = position
    return [UInt8](encoder.message(message, withKey: message.sender == user))
  }

  private static func storedEvent(
    _ position: Int64, for user: Int64, _ encoder: inout ChatEncoder, _ db: Database
  ) throws -> [UInt8]? {
    let statement = try db.cachedStatement(sql: "SELECT * FROM events WHERE position = ?")
    guard let row = try Row.fetchOne(statement, arguments: [position]),
      let kind = EventStore.Kind(rawValue: row["kind"])
    else { return nil }
    switch kind {
    case .messageChanged:
      let find = try RawStatement(MessageReader.columns + " WHERE conversation_id = ?1 AND seq = ?2", db)
      find.bind(row["conversation_id"], row["seq"])
      return try message(find, at: position, for: user, &encoder)
    case .receipt:
      let receipt = Receipt(
        position: position, conversation: row["conversation_id"], user: row["user_id"],
        receivedSeq: row["received_seq"], readSeq: row["read_seq"], publicReadSeq: row["public_read_seq"])
      return encoder.receipt(receipt, isOwn: receipt.user == user).map { [UInt8]($0) }
    case .created, .updated, .memberAdded, .memberRemoved:
      return try conversationEvent(kind, row, position, db).map { [UInt8](encoder.conversation($0)) }
    }
  }

  private static func conversationEvent(
    _ kind: EventStore.Kind, _ row: Row, _ position: Int64, _ db: Database
  ) throws -> ConversationEvent? {
    guard let change = ConversationEvent.Change(kind) else { return nil }
    let id: Int64 = row["conversation_id"]
    var event = ConversationEvent(
      position: position, conversation: id, change: change, by: row["by_id"], title: row["title"],
      recipients: MemberList([]))
    if let user = row["user_id"] as Int64? {
      event.user = try ConversationStore.anyone(user, in: db)
    }
    if change == .created {
      event.kind = try ConversationStore.find(id, in: db)?.kind
      event.members = try (row["members"] as String?).map { members in
        try members.split(separator: ",").compactMap { Int64($0) }
          .map { try ConversationStore.anyone($0, in: db) }
      }
    }
    return event
  }
}

/// Why a client must fetch the present state instead of what it has missed.
enum ResyncReason: String, Sendable {
  case epochChanged = "epoch_changed"
  case tooOld = "too_old"
  case tooMany = "too_many"
}
