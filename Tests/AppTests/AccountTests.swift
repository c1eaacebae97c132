import GRDB
import Synchronization
import Testing

@testable import App

/// A store with the administrators 1 and 2 and the clients 3 and 4, and what its writer announces.
private final class Accounting {
  private final class Heard: Sendable { let announcements = Mutex<[Announcement]>([]) }

  let directory: TemporaryDirectory
  let store: Store
  let writer: Writer
  private let heard = Heard()

  init() throws {
    directory = try TemporaryDirectory()
    store = try Store(directory: directory.path, for: .command)
    writer = Writer(
      store: store, committed: { _ in },
      announced: { [heard] news in heard.announcements.withLock { $0 += news } })
    try store.write { db in
      for (name, role) in [("root", Role.admin), ("boss", .admin), ("ann", .client), ("bob", .client)] {
        _ = try Accounts.create(NewUser(username: name, role: role), passwordHash: "h", in: db)
      }
    }
  }

  /// What was announced since the last call.
  func announced() -> [String] {
    heard.announcements.withLock { announcements in
      defer { announcements = [] }
      return announcements.map { announcement in
        switch announcement {
        case .sessionEnded(let session, let user, _): "session \(session) of \(user)"
        case .tokensRevoked(let user, let version, let why): "tokens of \(user) below \(version): \(why)"
        case .deviceChanged(let device): "device \(device)"
        case .userChanged(let user): "user \(user)"
        default: "something else"
        }
      }
    }
  }

  @discardableResult
  func update(_ user: Int64, _ patch: String, passwordHash: String? = nil) async throws -> User {
    let patch = try UserPatch(JSON.decode(UserPatch.Body.self, from: Array(patch.utf8)))
    return try await writer.transact { transaction in
      let present = try #require(try UserStore.find(user, in: transaction.db))
      return try Accounts.update(present, with: patch, passwordHash: passwordHash, in: transaction)
    }
  }

  func delete(_ user: Int64) async throws {
    try await writer.transact { transaction in
      let present = try #require(try UserStore.find(user, in: transaction.db))
      try Accounts.delete(present, in: transaction)
    }
  }
}

@Suite struct `A change of a user` {
  private let accounting: Accounting

  init() throws { accounting = try Accounting() }

  @Test func `announces whom it changes, and which tokens it ends`() async throws {
    try await accounting.update(3, #"{"display_name": "Ann", "email": null, "role": "client"}"#)
    #expect(accounting.announced() == ["user 3"])
    try await accounting.update(3, #"{"disabled": true, "role": "admin"}"#)
    #expect(accounting.announced() == ["user 3", "tokens of 3 below 1: sessionsEnded"])
    try await accounting.update(3, #"{"disabled": true}"#)
    try await accounting.update(3, #"{"disabled": false}"#)
    #expect(accounting.announced() == ["user 3", "user 3"])
    try await accounting.update(3, #"{"role": "client"}"#)
    #expect(accounting.announced() == ["user 3", "tokens of 3 below 2: roleChanged"])
    try await accounting.update(3, "{}", passwordHash: "other")
    #expect(accounting.announced() == ["user 3", "tokens of 3 below 3: sessionsEnded"])
    try await accounting.delete(3)
    #expect(accounting.announced() == ["user 3", "tokens of 3 below 4: sessionsEnded"])
  }

  @Test func `leaves an administrator who can log in, and announces nothing where it would not`() async throws
  {
    try await accounting.update(1, #"{"disabled": true}"#)
    // Without a password there is no log-in.
    try accounting.store.write { db in
      _ = try Accounts.create(NewUser(username: "ghost", role: .admin), passwordHash: nil, in: db)
    }
    _ = accounting.announced()
    for patch in [#"{"disabled": true}"#, #"{"role": "client"}"#] {
      let problem = await #expect(throws: Problem.self) { try await accounting.update(2, patch) }
      #expect(problem?.kind == .conflict)
    }
    await #expect(throws: Problem.self) { try await accounting.delete(2) }
    #expect(accounting.announced() == [])
    try await accounting.update(2, #"{"display_name": "The last"}"#)
    try await accounting.update(1, #"{"disabled": false}"#)
    try await accounting.delete(2)
  }

  @Test func `makes administrators members of every support conversation, and clients of their own`()
    async throws
  {
    let conversations = try accounting.store.write { db in
      try [Int64(3), 4].map { user in
        try ConversationChanges(Transaction(alone: db), by: user).openSupport(for: user).id
      }
    }
    func members() async throws -> [[Int64]] {
      try await accounting.writer.transact { transaction in
        try conversations.map { conversation in
          try transaction.messages.append(.system, "x", to: conversation, from: 0, transaction.db)?.members
            .users
            ?? []
        }
      }
    }
    #expect(try await members() == [[1, 2, 3], [1, 2, 4]])
    try await accounting.update(3, #"{"role": "admin"}"#)
    #expect(try await members() == [[1, 2, 3], [1, 2, 3, 4]])
    try await accounting.update(3, #"{"role": "client"}"#)
    try await accounting.update(2, #"{"role": "client"}"#)
    #expect(try await members() == [[1, 3], [1, 4]])
    _ = try await accounting.writer.transact { transaction in
      try Accounts.create(NewUser(username: "new", role: .admin), passwordHash: "h", in: transaction)
    }
    #expect(try await members() == [[1, 3, 5], [1, 4, 5]])
  }

  @Test func `that deletes takes all of the person away, and leaves devices without an owner`() async throws {
    try await accounting.update(3, #"{"display_name": "Ann", "email": "a@example.org"}"#)
    try accounting.store.write { db in
      try db.execute(
        sql: """
          INSERT INTO devices (name, owner_id, timezone, created_at)
          VALUES ('a', 3, 'UTC', 0), ('b', 4, 'UTC', 0), ('c', 3, 'UTC', 0)
          """)
    }
    try await accounting.delete(3)
    #expect(
      accounting.announced() == [
        "user 3", "user 3", "tokens of 3 below 1: sessionsEnded", "device 1", "device 3",
      ])
    try accounting.store.read { db in
      let row = try #require(try Row.fetchOne(db, sql: "SELECT * FROM users WHERE id = 3"))
      #expect(row["username"] == "deleted" && row["display_name"] == "Deleted user")
      #expect(row["email"] == nil && row["password_hash"] == nil && row["deleted_at"] != nil)
      let owners = try Int64?.fetchAll(db, sql: "SELECT owner_id FROM devices ORDER BY id")
      #expect(owners == [nil, 4, nil])
    }
  }
}

@Suite struct `A session` {
  private let accounting: Accounting
  private let refreshTokens = RefreshTokens(lifetime: 60_000, accessLifetime: 30_000)
  private let start = Timestamp(milliseconds: 1_000_000)

  init() throws { accounting = try Accounting() }

  private func begin() async throws -> RefreshTokens.Issued {
    try await accounting.writer.write { [refreshTokens, start] db in
      let user = try #require(try UserStore.find(3, in: db))
      return try refreshTokens.begin(for: user, now: start, in: db)
    }
  }

  private func use(_ token: String, after milliseconds: Int64 = 0) async throws -> RefreshTokens.Issued? {
    try await accounting.writer.transact { [refreshTokens, start] transaction in
      let now = Timestamp(milliseconds: start.milliseconds + milliseconds)
      return try refreshTokens.use(token, now: now, in: transaction)
    }
  }

  @Test func `goes on with each refresh, and ends when a token comes twice`() async throws {
    let first = try await begin()
    let second = try #require(try await use(first.token, after: 59_999))
    #expect(second.session == first.session && second.token != first.token)
    #expect(accounting.announced() == [])
    #expect(try await use(first.token, after: 60_000) == nil)
    #expect(accounting.announced() == ["session \(first.session) of 3"])
    #expect(try await use(second.token, after: 60_000) == nil)
  }

  @Test func `is not ended by a token that has only expired`() async throws {
    let first = try await begin()
    #expect(try await use(first.token, after: 60_000) == nil)
    #expect(try await use("unknown") == nil)
    #expect(accounting.announced() == [])
  }

  @Test func `that ended is remembered as long as its access tokens would have lived`() async throws {
    let first = try await begin()
    let caller = Caller(user: 3, role: .client, expiresAt: 0, session: first.session)
    try await accounting.writer.transact { [start] in try Session.end(caller, start, in: $0) }
    func isCovered(after milliseconds: Int64) throws -> Bool {
      let now = Timestamp(milliseconds: start.milliseconds + milliseconds)
      return try accounting.store.read { try Revocations($0, now: now) }.cover(caller, version: 0)
    }
    #expect(try isCovered(after: 0))
    #expect(try isCovered(after: 59_999), "30 s of life, and 30 s for clocks that differ")
    #expect(try !isCovered(after: 60_000))
  }

  @Test func `costs a socket no more than its place in the table`() {
    #expect(MemoryLayout<Sessions.Session>.stride <= 40)
  }
}
