import GRDB
import Testing

@testable import App
@testable import Reactor

/// A store with three users, two conversations, and the writer over it.
private final class Fixture {
  let directory: TemporaryDirectory
  let store: Store
  let writer: Writer
  private let done: AsyncStream<PublishBatch>
  private var answers: AsyncStream<PublishBatch>.Iterator

  init(in directory: TemporaryDirectory? = nil) throws {
    self.directory = try directory ?? TemporaryDirectory()
    let store = try Store(directory: self.directory.path, for: .command)
    self.store = store
    let (stream, continuation) = AsyncStream<PublishBatch>.makeStream()
    done = stream
    answers = stream.makeAsyncIterator()
    writer = Writer(store: store, committed: { continuation.yield($0) }, announced: { _ in })
    if directory == nil { try fill() }
  }

  deinit {
    writer.close()
    try? store.close()
  }

  private func fill() throws {
    try store.write { db in
      for name in ["ann", "bob", "eve"] {
        _ = try UserStore.insert(NewUser(username: name, role: .client), passwordHash: nil, in: db)
      }
      for kind in ["direct", "group"] {
        let body = NewConversation.Body(kind: kind, title: nil, memberIDs: ["u2"])
        _ = try ConversationChanges(Transaction(alone: db), by: 1).make(
          NewConversation(body, madeBy: 1), askedFor: ["u2"])
      }
    }
  }

  /// Sends (sender, conversation, key, text, reply to) as one batch, and returns it answered.
  func publish(_ messages: [(Int64, Int64, String, String, Int64)]) async -> [PublishBatch.Entry] {
    let batch = PublishBatch()
    for (sender, conversation, key, text, replyTo) in messages {
      batch.entries.append(
        PublishBatch.Entry(
          origin: .socket(WebSocketID(SourceID(slot: 0, generation: 1)), id: .empty), sender: sender,
          conversation: conversation, key: Array(key.utf8).withUnsafeBytes(batch.append),
          text: Array(text.utf8).withUnsafeBytes(batch.append), replyTo: replyTo))
    }
    #expect(writer.submit(batch))
    return await answers.next(isolation: nil)?.entries ?? []
  }

  func texts(of conversation: Int64) throws -> [String] {
    try store.read {
      try String.fetchAll(
        $0, sql: "SELECT seq || ':' || text FROM messages WHERE conversation_id = ? ORDER BY seq",
        arguments: [conversation])
    }
  }
}

@Suite struct `The writer` {
  @Test func `counts seq in each conversation from 1 and position over all`() async throws {
    let fixture = try Fixture()
    let first = await fixture.publish([(1, 1, "a", "one", 0), (2, 2, "a", "two", 0), (2, 1, "b", "three", 1)])
    let second = await fixture.publish([(1, 1, "c", "four", 0)])
    #expect((first + second).map(\.outcome) == [.stored, .stored, .stored, .stored])
    #expect((first + second).map(\.seq) == [1, 1, 2, 3])
    // Behind those of the two conversations that were made.
    #expect((first + second).map(\.position) == [3, 4, 5, 6])
    #expect(first[0].members?.users == [1, 2])
    #expect(try fixture.texts(of: 1) == ["1:one", "2:three", "3:four"])
  }

  @Test func `finds a sender's key again: in the batch, later, and after a restart`() async throws {
    let directory = try TemporaryDirectory()
    do {
      let fixture = try Fixture()
      let batch = await fixture.publish([
        (1, 1, "k", "same", 0), (1, 1, "k", "same", 0), (2, 1, "k", "other's", 0),
      ])
      #expect(batch.map(\.outcome) == [.stored, .duplicate, .stored])
      #expect(batch.map(\.seq) == [1, 1, 2])
      let later = await fixture.publish([
        (1, 1, "k", "changed", 0), (1, 2, "k", "same", 0), (1, 1, "k2", "next", 0),
      ])
      #expect(later.map(\.outcome) == [.conflict, .conflict, .stored])
      #expect(later[2].seq == 3)
      let again = Writer(store: fixture.store, committed: { _ in }, announced: { _ in })
      again.close()
      let reopened = try Fixture(in: fixture.directory)
      let retry = await reopened.publish([(1, 1, "k", "same", 0), (1, 1, "k3", "new", 0)])
      #expect(retry.map(\.outcome) == [.duplicate, .stored] && retry.map(\.seq) == [1, 4])
      #expect(retry[0].timestamp == batch[0].timestamp && retry[0].position == batch[0].position)
    }
    _ = directory
  }

  @Test func `takes nothing from who is no member, and no answer to what is not there`() async throws {
    let fixture = try Fixture()
    let batch = await fixture.publish([
      (3, 1, "a", "spy", 0), (1, 99, "b", "void", 0), (1, 1, "c", "reply", 1), (1, 1, "d", "first", 0),
      (1, 1, "e", "reply", 1),
    ])
    #expect(batch.map(\.outcome) == [.notFound, .notFound, .noSuchReply, .stored, .stored])
    #expect(try fixture.texts(of: 1) == ["1:first", "2:reply"])
  }

  @Test func `undoes a change that fails, alone`() async throws {
    struct Refused: Error {}
    let fixture = try Fixture()
    await #expect(throws: Refused.self) {
      try await fixture.writer.write { db in
        try db.execute(sql: "UPDATE users SET display_name = 'gone'")
        throw Refused()
      }
    }
    let kept = try await fixture.writer.write { db in
      try db.execute(sql: "UPDATE users SET display_name = 'kept' WHERE id = 3")
      return db.changesCount
    }
    #expect(kept == 1)
    let names = try fixture.store.read {
      try String.fetchAll($0, sql: "SELECT display_name FROM users WHERE id > 0 ORDER BY id")
    }
    #expect(names == ["ann", "bob", "kept"])
  }

  @Test func `fails a whole batch that cannot be committed, and counts on rightly afterwards`() async throws {
    let fixture = try Fixture()
    _ = await fixture.publish([(1, 1, "a", "one", 0)])
    try await fixture.writer.write { db in
      try db.execute(
        sql: """
          CREATE TRIGGER full BEFORE INSERT ON messages WHEN new.text = 'bad'
          BEGIN SELECT RAISE(ABORT, 'disk full'); END
          """)
    }
    let failed = await fixture.publish([
      (1, 1, "b", "two", 0), (1, 1, "c", "bad", 0), (1, 1, "d", "three", 0),
    ])
    #expect(failed.map(\.outcome) == [.failed, .failed, .failed])
    #expect(try fixture.texts(of: 1) == ["1:one"])
    let retry = await fixture.publish([(1, 1, "b", "two", 0), (1, 1, "d", "three", 0)])
    #expect(retry.map(\.outcome) == [.stored, .stored] && retry.map(\.seq) == [2, 3])
    #expect(retry.map(\.position) == [4, 5])
  }

  @Test func `never steps back in time`() async throws {
    let fixture = try Fixture()
    var times: [Int64] = []
    for number in 0..<20 { times += await fixture.publish([(1, 1, "\(number)", "x", 0)]).map(\.timestamp) }
    #expect(times == times.sorted())
  }
}

@Suite struct `A page of messages` {
  @Test(arguments: [
    (MessagePage.Bound.newest, 3, [8, 9, 10], true), (.newest, 50, Array(1...10), false),
    (.before(4), 2, [2, 3], true), (.before(4), 3, [1, 2, 3], false), (.before(1), 5, [], false),
    (.before(.max), 1, [10], true), (.after(0), 2, [1, 2], true), (.after(8), 2, [9, 10], false),
    (.after(10), 5, [], false), (.after(.max), 5, [], false),
  ]) func `is a range of seq, ascending`(
    _ bound: MessagePage.Bound, _ limit: Int64, _ seqs: [Int64], _ more: Bool
  )
    async throws
  {
    let fixture = try Fixture()
    _ = await fixture.publish((1...10).map { (1, 1, "k\($0)", "t\($0)", 0) })
    let page =
      switch bound {
      case .before(let seq): try MessagePage(before: seq, after: nil, limit: limit)
      case .after(let seq): try MessagePage(before: nil, after: seq, limit: limit)
      case .newest: try MessagePage(before: nil, after: nil, limit: limit)
      }
    let json = try fixture.store.read {
      String(decoding: try MessageReader.page($0, of: 1, for: 2, page, named: "items"), as: UTF8.self)
    }
    let found = json.matches(of: #/"seq":([0-9]+)/#).compactMap { Int64($0.1) }
    #expect(found == seqs && json.hasSuffix("\"more\":\(more)"))
    #expect(!json.contains("\"key\""), "the key is for the sender alone")
  }
}
