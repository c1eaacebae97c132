import Foundation
import GRDB
import Testing

@testable import App

@Suite struct StoreTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func open(_ purpose: Store.Purpose = .command) throws -> Store {
    try Store(directory: directory.path + "/a/b", for: purpose)
  }

  private var file: String { directory.path + "/a/b/wattloop.sqlite" }

  @Test func `a commit is on disk, and references hold`() throws {
    let store = try open()
    let pragmas = try store.writeWithoutTransaction { db in
      try ["journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint"].map {
        try String.fetchOne(db, sql: "PRAGMA \($0)")
      }
    }
    #expect(pragmas == ["wal", "2", "1", "0"])
    #expect(throws: DatabaseError.self) {
      try store.write { try $0.execute(sql: "INSERT INTO members VALUES (1, 1, 0)") }
    }
  }

  @Test func `readers cannot write`() throws {
    let store = try open()
    #expect(throws: DatabaseError.self) { try store.read { try $0.execute(sql: "DELETE FROM meta") } }
  }

  @Test func `only the owner can read the directory and the file`() throws {
    let store = try open()
    defer { withExtendedLifetime(store) {} }
    for path in [directory.path + "/a/b", file, file + "-wal"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o077 } == 0, "\(path)")
    }
  }

  @Test func `the epoch stays with the store`() throws {
    let first = try open()
    try first.close()
    #expect(try open().epoch == first.epoch)
    #expect(first.epoch.count == 22)
    #expect(try Store(directory: directory.path + "/other", for: .command).epoch != first.epoch)
  }

  @Test func `a closed store is one file without a log`() throws {
    let store = try open()
    _ = try store.read(UserStore.hasLogin)
    try store.close()
    #expect(!FileManager.default.fileExists(atPath: file + "-wal"))
  }

  @Test func `a checkpoint moves the log into the file`() throws {
    let store = try open()
    try store.checkpoint()
    let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
    #expect((size ?? 0) > 4096)
  }

  @Test func `under steady writing the log is begun anew, again and again`() throws {
    let store = try open(.serving)
    let checkpointer = Checkpointer(store: store, longLog: 100)
    try store.write { try $0.execute(sql: "CREATE TABLE blobs (blob BLOB)") }
    var (longest, anew, before) = (0, 0, 0)
    for _ in 0..<600 {
      try store.write { try $0.execute(sql: "INSERT INTO blobs VALUES (zeroblob(65536))") }
      checkpointer.tend()
      anew += store.logPages < before ? 1 : 0
      before = store.logPages
      longest = max(longest, before)
    }
    checkpointer.close()
    try store.close()
    #expect(anew > 3 && longest < 600 * 16 / 2, "\(anew) times, up to \(longest) pages")
  }

  @Test func `two servers never have one store, and commands may join a server`() throws {
    let server = try open(.serving)
    #expect(throws: StoreError.self) { try open(.serving) }
    _ = try open(.command)
    withExtendedLifetime(server) {}
  }

  @Test func `a server that is gone leaves no lock`() throws {
    try { try open(.serving).close() }()
    _ = try open(.serving)
  }

  @Test func `a store of a newer version is refused, and says so`() throws {
    try open().write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999-future')") }
    let error = #expect(throws: StoreError.self) { try open() }
    #expect(error?.description.contains("newer version") == true)
  }

  @Test func `what is no database is refused`() throws {
    try FileManager.default.createDirectory(
      atPath: directory.path + "/a/b", withIntermediateDirectories: true)
    try Data(repeating: 0x41, count: 5000).write(to: URL(filePath: file))
    let error = #expect(throws: StoreError.self) { try open() }
    #expect(error?.description.contains("not a database") == true)
  }

  @Test func `a file in the directory's place is refused`() throws {
    let path = try directory.file("f", "")
    #expect(throws: StoreError.self) { try Store(directory: path, for: .command) }
    #expect(throws: StoreError.self) { try Store(directory: path + "/x", for: .command) }
  }
}

@Suite struct SchemaTests {
  private let directory: TemporaryDirectory
  private let store: Store

  init() throws {
    directory = try TemporaryDirectory()
    store = try Store(directory: directory.path, for: .command)
    try store.write { db in
      try db.execute(
        sql: """
          INSERT INTO users (id, username, username_folded, display_name, role, created_at)
            VALUES (1, 'a', 'a', 'A', 'client', 0), (2, 'b', 'b', 'B', 'client', 0);
          INSERT INTO conversations (id, kind, direct_key, created_at)
            VALUES (1, 'direct', '1:2', 0), (2, 'group', NULL, 0), (3, 'group', NULL, 0);
          INSERT INTO messages (position, conversation_id, seq, sender_id, timestamp, kind, text, key)
            VALUES (1, 1, 1, 1, 0, 0, 'hi', 'k'), (2, 1, 2, 2, 0, 0, 'hi', 'k'), (3, 1, 3, 1, 0, 2, 's', NULL),
              (4, 1, 4, 1, 0, 2, 's', NULL);
          """)
    }
  }

  @Test(arguments: [
    "VALUES (1, 1, 9, 1, 0, 0, 'x', 'new')", "VALUES (9, 1, 1, 1, 0, 0, 'x', 'new')",
    "VALUES (9, 2, 1, 1, 0, 0, 'x', 'k')", "VALUES (9, 2, 0, 1, 0, 0, 'x', 'new')",
    "VALUES (9, 2, 1, 1, 0, 3, 'x', 'new')", "VALUES (9, 2, 1, 1, 'noon', 0, 'x', 'new')",
    "VALUES (9, 2, 1, 1, 0, 0, NULL, 'new')",
  ])
  func `a message that breaks a rule is refused`(_ values: String) {
    let columns = "(position, conversation_id, seq, sender_id, timestamp, kind, text, key)"
    #expect(throws: DatabaseError.self) {
      try store.write { try $0.execute(sql: "INSERT INTO messages \(columns) \(values)") }
    }
  }

  @Test(arguments: [
    "INSERT INTO conversations (kind, direct_key, created_at) VALUES ('direct', '1:2', 0)",
    "INSERT INTO conversations (kind, created_at) VALUES ('party', 0)",
    "UPDATE users SET role = 'root' WHERE id = 1", "UPDATE users SET disabled = 2 WHERE id = 1",
    "UPDATE users SET username_folded = 'b' WHERE id = 1",
  ])
  func `a row that breaks a rule is refused`(_ sql: String) {
    #expect(throws: DatabaseError.self) { try store.write { try $0.execute(sql: sql) } }
  }
}
