import GRDB
import GRDBSQLite
import Testing

@testable import App

/// Steps of SQLite's virtual machine: they do not depend on the machine that counts them.
@Suite struct `A large conversation` {
  private final class Counter { var steps = 0 }

  private func steps(_ store: Store, _ body: (Database) throws -> Void) throws -> Int {
    let counter = Counter()
    try store.read { db in
      sqlite3_progress_handler(
        db.sqliteConnection, 1,
        { context in
          Unmanaged<Counter>.fromOpaque(context!).takeUnretainedValue().steps += 1
          return 0
        }, Unmanaged.passUnretained(counter).toOpaque())
      defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
      try body(db)
    }
    return counter.steps
  }

  @Test func `opens, scrolls and searches in the steps of a small one`() throws {
    let fixture = try ChatFixture(users: 3)
    let small = try fixture.group(1, [2])
    let large = try fixture.group(1, [2])
    for (group, count) in [(small, 2 * SentCounts.stride), (large, 12 * SentCounts.stride)] {
      for start in stride(from: 0, to: count, by: 4096) {
        try fixture.commit(
          (start..<start + 4096).map { fixture.send("meter \($0)", by: 1 + $0 % 2, in: group) })
      }
    }
    while try fixture.transact({ try $0.search.advance(by: 10_000, $0.db) }) > 0 {}
    func look(_ group: Int64) throws -> Int {
      try steps(fixture.store) { db in
        _ = try ConversationReader.json(group, for: 2, db)
        for page in [
          try MessagePage(before: nil, after: nil, limit: 50),
          try MessagePage(before: 4000, after: nil, limit: 50),
          try MessagePage(before: nil, after: 70, limit: 50),
        ] { _ = try MessageReader.page(db, of: group, for: 2, page, named: "items") }
        for text in ["meter", "4711", "met*"] {
          _ = try MessageSearch(query: SearchQuery(text), user: 2, conversation: group, db: db).run(
            upTo: .max)
        }
      }
    }
    let ofSmall = try look(small)
    let ofLarge = try look(large)
    #expect(ofSmall > 1000 && Double(ofLarge) < Double(ofSmall) * 1.1, "\(ofLarge) against \(ofSmall)")
  }

  @Test func `is one of many that are put in order without a look at each`() throws {
    let fixture = try ChatFixture(users: 2)
    func make(_ count: Int) throws {
      for _ in 0..<count { _ = try fixture.group(1, [2]) }
    }
    func list() throws -> Int {
      try steps(fixture.store) { _ = try ConversationReader.page(for: 2, after: nil, limit: 50, $0) }
    }
    try make(500)
    let few = try list()
    try make(1500)
    let more = try Double(list() - few) / 1500
    #expect(more < 40, "\(more) steps for each conversation that is not shown")
  }
}
