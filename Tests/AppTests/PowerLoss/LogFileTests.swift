import Foundation
import GRDB
import GRDBSQLite
import Testing

@testable import App

@Suite struct `The write-ahead log, gathered` {
  /// A database whose transactions do not fit into its cache: their pages go to the log early, are read from there, and are
  /// written again.
  private final class SmallCache {
    let directory: TemporaryDirectory
    let queue: DatabaseQueue
    var path: String { directory.path + "/a.sqlite" }

    init(in directory: TemporaryDirectory, synchronous: String) throws {
      _ = LogVFS.isDefault
      self.directory = directory
      queue = try DatabaseQueue(path: directory.path + "/a.sqlite")
      try queue.writeWithoutTransaction { db in
        try db.execute(
          sql: """
            PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 4;
            PRAGMA synchronous = \(synchronous);
            CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER, filling BLOB);
            """)
      }
    }

    /// What a new process finds in what the kernel has.
    func found() throws -> [Int64: Int64] {
      let copy = try TemporaryDirectory()
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: copy.path + "/a.sqlite" + suffix)
      }
      let queue = try DatabaseQueue(path: copy.path + "/a.sqlite")
      return try queue.read { db in
        #expect(try String.fetchOne(db, sql: "PRAGMA integrity_check") == "ok")
        let rows = try Row.fetchAll(db, sql: "SELECT id, value FROM numbers")
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["id"], $0["value"]) })
      }
    }
  }

  /// With `synchronous` off nothing but the end of a transaction makes SQLite ask for its bytes to be written.
  @Test(arguments: ["OFF", "NORMAL", "FULL"], [UInt64(1), 2, 3])
  func `is with the kernel when a transaction has ended, whatever it did`(
    _ synchronous: String, _ seed: UInt64
  ) throws {
    let database = try SmallCache(in: TemporaryDirectory(), synchronous: synchronous)
    var random = SeededGenerator(seed: seed)
    var numbers: [Int64: Int64] = [:]
    for _ in 0..<40 {
      var changed = numbers
      let isKept = Int.random(in: 0..<4, using: &random) > 0
      let steps = [1, 3, 60].randomElement(using: &random)!
      try database.queue.writeWithoutTransaction { db in
        try db.inTransaction {
          for _ in 0..<steps { try change(&changed, db, &random) }
          return isKept ? .commit : .rollback
        }
        if Int.random(in: 0..<8, using: &random) == 0 { try db.checkpoint(.passive) }
      }
      if isKept { numbers = changed }
      #expect(try database.found() == numbers)
    }
  }

  private func change(_ numbers: inout [Int64: Int64], _ db: Database, _ random: inout SeededGenerator) throws
  {
    let id = Int64.random(in: 1...40, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      try db.execute(sql: "DELETE FROM numbers WHERE id = ?", arguments: [id])
      numbers[id] = nil
    case 1:
      let sum = try Int64.fetchOne(db, sql: "SELECT sum(value) FROM numbers")
      #expect(sum ?? 0 == numbers.values.reduce(0, +))
    default:
      let value = Int64.random(in: 0...1000, using: &random)
      let filling = Data(count: .random(in: 0...9000, using: &random))
      try db.execute(
        sql: "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)", arguments: [id, value, filling])
      numbers[id] = value
    }
  }

  @Test func `is written in few pieces, and all of it before its sync`() throws {
    let directory = try TemporaryDirectory()
    let disk = try Disk(directory: directory.path)
    defer { disk.unmount() }
    let store = try Store(directory: directory.path, for: .command)
    defer { try? store.close() }
    let before = disk.operationCount
    try store.write { db in
      for number in 0..<20_000 {
        try db.execute(sql: "INSERT INTO meta VALUES (?, ?)", arguments: ["number \(number)", "x"])
      }
    }
    let operations = disk.log[before...]
    let pieces = operations.compactMap { if case .write(_, _, let bytes) = $0 { bytes.count } else { nil } }
    let pages = pieces.reduce(0, +) / (4096 + 24)
    #expect(pages > 20 && pieces.count <= pages / 15 + 1, "\(pages) pages in \(pieces)")
    guard case .sync = operations.last else {
      Issue.record("\(operations.count) operations end without a sync")
      return
    }
  }
}
