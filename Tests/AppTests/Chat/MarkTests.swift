import GRDB
import Testing

@testable import App

@Suite struct `Marks` {
  @Test(arguments: UInt64(1)...3)
  func `make unread the number of others' messages above the read one, however many there are`(
    _ seed: UInt64
  ) throws {
    let fixture = try ChatFixture(users: 4)
    let group = try fixture.group(1, [2, 3])
    var random = SeededGenerator(seed: seed)
    var last: Int64 = 0
    // Past the stride of the counts, so that both of their parts matter.
    while last < 3 * SentCounts.stride {
      let count = Int64.random(in: 1...900, using: &random)
      try fixture.commit(
        (0..<count).map { _ in fixture.send("x", by: Bool.random(using: &random) ? 1 : 2, in: group) })
      last += count
      let user = Int64.random(in: 1...3, using: &random)
      let operation: PublishBatch.Operation = Bool.random(using: &random) ? .read : .readPrivately
      try fixture.commit([
        fixture.entry(operation, Int64.random(in: 1...last, using: &random), by: user, in: group)
      ])
      if last > SentCounts.stride, last < SentCounts.stride + 900 {
        try fixture.transact { try ConversationChanges($0, by: 1).add([4], to: group) }
      }
      for user in 1...4 as ClosedRange<Int64> { try expectUnread(fixture, group, user) }
    }
    #expect(try StoreCheck(store: fixture.store).run().faults == [])
  }

  private func expectUnread(_ fixture: ChatFixture, _ group: Int64, _ user: Int64) throws {
    guard let shown = try fixture.conversation(group, as: user) else { return }
    let counted = try fixture.store.read {
      try Int64.fetchOne(
        $0,
        sql: """
          SELECT count(*) FROM messages m JOIN members r ON r.conversation_id = m.conversation_id
          WHERE m.conversation_id = ?1 AND r.user_id = ?2 AND m.seq > r.read_seq AND m.sender_id <> ?2
          """, arguments: [group, user])
    }
    #expect(shown.number("unread") == counted)
  }

  @Test func `only grow, and what is read is received`() throws {
    let fixture = try ChatFixture(users: 2)
    let group = try fixture.group(1, [2])
    try fixture.commit((1...9).map { _ in fixture.send("x", by: 1, in: group) })
    func mark(_ operation: PublishBatch.Operation, _ seq: Int64) throws -> (PublishBatch.Outcome, [Int64]) {
      let outcome = try fixture.commit([fixture.entry(operation, seq, by: 2, in: group)])[0].outcome
      let row = try fixture.store.read {
        try Row.fetchOne(
          $0, sql: "SELECT received_seq, read_seq, public_read_seq FROM members WHERE user_id = 2")
      }
      return (outcome, row.map { [$0[0], $0[1], $0[2]] } ?? [])
    }
    #expect(try mark(.receive, 3) == (.stored, [3, 0, 0]))
    #expect(try mark(.receive, 2) == (.unchanged, [3, 0, 0]))
    #expect(try mark(.readPrivately, 5) == (.stored, [5, 5, 0]))
    #expect(try mark(.read, 4) == (.stored, [5, 5, 4]))
    #expect(try mark(.read, 4) == (.unchanged, [5, 5, 4]))
    #expect(try mark(.read, 9) == (.stored, [9, 9, 9]))
    #expect(try mark(.read, 10) == (.noSuchSeq, [9, 9, 9]))
    #expect(try mark(.read, 0) == (.noSuchSeq, [9, 9, 9]))
  }

  @Test func `show a private read to its user alone`() throws {
    let fixture = try ChatFixture(users: 2)
    let group = try fixture.group(1, [2])
    try fixture.commit((1...5).map { _ in fixture.send("x", by: 1, in: group) })
    let start = fixture.hub.position
    try fixture.commit([fixture.entry(.receive, 5, by: 2, in: group)])
    try fixture.commit([fixture.entry(.readPrivately, 4, by: 2, in: group)])
    let others = fixture.told(1, after: start)
    let own = fixture.told(2, after: start)
    #expect(others.map { $0.number("read_seq") } == [0] && own.map { $0.number("read_seq") } == [0, 4])
    #expect(try fixture.conversation(group, as: 1)?.contains("\"received_seq\":5,\"read_seq\":0}") ?? false)
    #expect(try fixture.conversation(group, as: 2)?.contains("\"read_seq\":4,\"unread\":1") ?? false)
  }
}
