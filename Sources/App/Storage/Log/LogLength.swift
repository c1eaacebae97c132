import GRDB
import GRDBSQLite
import Synchronization

/// How long the write-ahead log is. SQLite tells it after each commit, to whoever decides about checkpoints.
final class LogLength: Sendable {
  let pages = Atomic(0)

  /// Takes the place of SQLite's own checkpoints on the read-write connection. Must live as long as that.
  func watch(_ pool: DatabasePool) {
    pool.writeWithoutTransaction { db in
      _ = sqlite3_wal_hook(
        db.sqliteConnection,
        { context, _, _, pages in
          Unmanaged<LogLength>.fromOpaque(context!).takeUnretainedValue()
            .pages.store(Int(pages), ordering: .relaxed)
          return SQLITE_OK
        }, Unmanaged.passUnretained(self).toOpaque())
    }
  }
}
