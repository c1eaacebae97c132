import GRDB

/// Makes and changes conversations, in the writer's transaction: each change is an event of the store, and its members
/// hear of it when it is on disk.
struct ConversationChanges {
  let transaction: Transaction
  let now: Timestamp
  /// Who does it.
  let actor: Int64

  private var db: Database { transaction.db }

  init(_ transaction: Transaction, by actor: Int64, now: Timestamp = .now()) {
    self.transaction = transaction
    self.now = now
    self.actor = actor
  }

  // MARK: Making

  /// - Throws: `validation` naming the members that do not exist.
  func make(_ new: NewConversation, askedFor memberIDs: [String]) throws -> ConversationStore.Made {
    try checkMembers(new.members, memberIDs)
    let directKey = new.kind == .direct ? new.members.map(String.init).joined(separator: ":") : nil
    return try make(new.kind, title: new.title, directKey: directKey, founder: actor, new.members)
  }

  /// The user's conversation with all administrators, made on first use.
  func openSupport(for user: Int64) throws -> ConversationStore.Made {
    // A direct key names two users, so one number alone is free for this.
    let administrators = try SupportConversations.administrators(in: db)
    return try make(
      .support, title: nil, directKey: String(user), founder: nil,
      Set(administrators).union([user]).sorted())
  }

  private func make(
    _ kind: Conversation.Kind, title: String?, directKey: String?, founder: Int64?, _ members: [Int64]
  ) throws -> ConversationStore.Made {
    if let directKey, let id = try ConversationStore.direct(directKey, in: db) {
      return .init(id: id, isNew: false)
    }
    let id = try ConversationStore.insert(
      kind, title: title, directKey: directKey, founder: founder, now, in: db)
    let position = try transaction.positions.next(db)
    for member in members { try ConversationStore.add(member, to: id, at: position, now, in: db) }
    let list = MemberList(members)
    let people =
      list.areAcquainted ? try members.compactMap { try ConversationStore.person($0, in: db) } : nil
    try tell(
      ConversationEvent(
        position: position, conversation: id, change: .created, by: actor, kind: kind, title: title,
        members: people, recipients: list))
    return .init(id: id, isNew: true)
  }

  private func checkMembers(_ members: [Int64], _ memberIDs: [String]) throws {
    let unknown = try Set(
      members.filter { try ConversationStore.person($0, in: db) == nil || $0 == User.system })
    if unknown.isEmpty { return }
    let errors = memberIDs.enumerated().compactMap { index, id in
      EntityID.user.parse(id).map(unknown.contains) ?? false
        ? Problem.FieldError("/member_ids/\(index)", NewConversation.unknownMember) : nil
    }
    throw Problem.validation(errors)
  }

  // MARK: Changing

  func setTitle(_ title: String?, of conversation: Conversation) throws {
    guard title != conversation.title else { return }
    let list = try memberList(of: conversation.id)
    try ConversationStore.setTitle(title, of: conversation.id, in: db)
    try tell(
      ConversationEvent(
        position: try transaction.positions.next(db), conversation: conversation.id, change: .updated,
        by: actor, title: title, recipients: list))
  }

  /// Who is a member already stays as it is.
  func add(_ users: [Int64], to conversation: Int64) throws {
    var list = try memberList(of: conversation)
    for user in users where !list.contains(user) {
      let position = try transaction.positions.next(db)
      try ConversationStore.add(user, to: conversation, at: position, now, in: db)
      list = MemberList((list.users + [user]).sorted())
      try tell(
        ConversationEvent(
          position: position, conversation: conversation, change: .memberAdded, by: actor,
          user: try ConversationStore.person(user, in: db), recipients: list))
    }
  }

  func remove(_ user: Int64, from conversation: Int64) throws {
    let list = try memberList(of: conversation)
    let person = try ConversationStore.anyone(user, in: db)
    try ConversationStore.remove(user, from: conversation, in: db)
    try tell(
      ConversationEvent(
        position: try transaction.positions.next(db), conversation: conversation, change: .memberRemoved,
        by: actor, user: person, recipients: list))
  }

  private func memberList(of conversation: Int64) throws -> MemberList {
    guard let list = try ConversationStore.memberList(of: conversation, in: db) else {
      throw Problem.notFound
    }
    return list
  }

  private func tell(_ event: ConversationEvent) throws {
    try EventStore.record(event, db)
    transaction.positions.use(event.position)
    transaction.messages.forget(event.conversation)
    transaction.announce(.conversation(event))
  }
}
