import Testing

@testable import App

@Suite struct `What a client has missed` {
  /// Random senders, edits, deletions, marks and members; then every user comes back after every position, and must hear
  /// what it would have been told, event for event, but for what it may see no more.
  @Test(arguments: UInt64(1)...30)
  func `is what it would have been told`(_ seed: UInt64) throws {
    var run = try RandomChat(seed: seed)
    for _ in 0..<60 { try run.step() }
    for user in run.users {
      let live = run.fixture.told(user, asToldLive: true).filter { run.maySee($0, user) }
      let fromMemory = run.fixture.told(user).filter { run.maySee($0, user) }
      let removal = run.fixture.hub.removals[user] ?? 0
      for position in 0...run.fixture.hub.position where position % 7 == Int64(seed % 7) || position < 3 {
        func behind(_ events: [String]) -> [String] {
          events.filter { ($0.number("position") ?? 0) > position }
        }
        let replayed = try #require(try run.fixture.replayed(user, after: position))
        #expect(
          replayed.map(run.withoutText) == behind(live).map(run.withoutText),
          "seed \(seed), u\(user) after \(position)")
        // From before a removal, memory is not asked.
        if position >= removal {
          #expect(replayed == behind(fromMemory), "seed \(seed), u\(user) after \(position)")
        }
      }
    }
  }

  @Test func `is too much beyond the limit, and from another history beyond the end`() throws {
    let fixture = try ChatFixture(users: 2)
    let group = try fixture.group(1, [2])
    try fixture.commit((1...20).map { fixture.send("m\($0)", by: 1, in: group) })
    func plan(_ position: Int64, _ limit: Int) throws -> ResyncReason? {
      let plan = try fixture.store.read { try EventReader.plan(for: 2, after: position, limit: limit, $0) }
      if case .resync(let reason) = plan { return reason }
      return nil
    }
    let last = fixture.hub.position
    #expect(try plan(0, 21) == nil && plan(0, 20) == .tooMany && plan(1, 20) == nil)
    #expect(try plan(last, 0) == nil && plan(last + 1, 100) == .epochChanged)
    try fixture.store.write { try $0.execute(sql: "UPDATE meta SET value = '5' WHERE name = 'events_from'") }
    #expect(try plan(4, 100) == .tooOld && plan(5, 100) == nil)
  }

  @Test func `shows a deleted text to nobody again`() throws {
    let fixture = try ChatFixture(users: 2)
    let group = try fixture.group(1, [2])
    try fixture.commit([fixture.send("secret", by: 1, in: group)])
    try fixture.commit([fixture.entry(.edit, 1, text: "hidden", by: 1, in: group)])
    try fixture.commit([fixture.entry(.delete, 1, by: 1, in: group)])
    let replayed = try #require(try fixture.replayed(2, after: 0))
    #expect(replayed.filter { $0.contains("\"seq\":1") }.count == 3)
    #expect(!replayed.contains { $0.contains("secret") || $0.contains("hidden") })
  }
}

/// A seeded life of some groups.
private struct RandomChat {
  let fixture: ChatFixture
  let users: [Int64] = [1, 2, 3, 4, 5]
  private var random: SeededGenerator
  private var groups: [Int64] = []
  private var members: [Int64: Set<Int64>] = [:]
  /// From when to when each was a member.
  private var memberships: [Int64: [Int64: [Range<Int64>]]] = [:]
  private var lastSeq: [Int64: Int64] = [:]

  init(seed: UInt64) throws {
    fixture = try ChatFixture(users: 5)
    random = SeededGenerator(seed: seed)
    for others in [[2, 3], [2, 3, 4, 5], [5]] as [[Int64]] { try make(others) }
  }

  private mutating func make(_ others: [Int64]) throws {
    let group = try fixture.group(1, others, title: "g")
    groups.append(group)
    members[group] = Set(others + [1])
    for user in others + [1] { join(user, group) }
    lastSeq[group] = 0
  }

  private mutating func join(_ user: Int64, _ group: Int64) {
    memberships[group, default: [:]][user, default: []].append(fixture.hub.position..<Int64.max)
  }

  mutating func step() throws {
    let group = groups.randomElement(using: &random)!
    let user = users.randomElement(using: &random)!
    let last = lastSeq[group]!
    let seq = Int64.random(in: 1...max(1, last), using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0...4: try commit([fixture.send("text \(last)", by: user, in: group)], group)
    case 5: try commit([fixture.entry(.edit, seq, text: "edit \(last)", by: user, in: group)], group)
    case 6: try commit([fixture.entry(.delete, seq, by: user, in: group)], group)
    case 7: try commit([fixture.entry(.receive, seq, by: user, in: group)], group)
    case 8: try commit([fixture.entry(.read, seq, by: user, in: group)], group)
    case 9:
      try commit(
        [
          fixture.entry(.readPrivately, seq, by: user, in: group), fixture.send("next", by: user, in: group),
          fixture.entry(.read, seq, by: user, in: group),
        ], group)
    case 10: try changeMembers(group, user)
    default:
      let title = "title \(last)"
      try fixture.transact { transaction in
        guard let conversation = try ConversationStore.find(group, in: transaction.db) else { return }
        try ConversationChanges(transaction, by: 1).setTitle(title, of: conversation)
      }
    }
  }

  private mutating func commit(_ entries: [PublishBatch.Entry], _ group: Int64) throws {
    for entry in try fixture.commit(entries) where entry.operation == .send && entry.outcome == .stored {
      lastSeq[group] = entry.seq
    }
  }

  private mutating func changeMembers(_ group: Int64, _ user: Int64) throws {
    guard user != 1 else { return }
    if members[group]!.contains(user) {
      try fixture.transact { try ConversationChanges($0, by: 1).remove(user, from: group) }
      members[group]!.remove(user)
      let last = memberships[group]![user]!.removeLast()
      memberships[group]![user]!.append(last.lowerBound..<fixture.hub.position)
    } else {
      try fixture.transact { try ConversationChanges($0, by: 1).add([user], to: group) }
      members[group]!.insert(user)
      join(user, group)
    }
  }

  /// Whether an event that a user was told once is told again: groups that it has left are not its own any more; only its
  /// removal is.
  func maySee(_ event: String, _ user: Int64) -> Bool {
    guard let position = event.number("position"),
      let group = groups.first(where: { event.contains("\"c\($0)\"") })
    else { return false }
    if event.contains("member_removed") && event.contains("\"user\":\"u\(user)\"") { return true }
    return members[group]!.contains(user) && memberships[group]![user]!.contains { $0.contains(position) }
  }

  /// Replays show a message as it is now.
  func withoutText(_ event: String) -> String {
    event.replacing(#/"text":"[^"]*"(,"edited_at":"[^"]*")?(,"deleted_at":"[^"]*")?/#, with: "")
  }
}
