import CSQLite
import GRDB
import Glibc

/// The SQLite database of one server: one read-write connection and a few read-only ones.
///
/// Every call blocks its thread, so none is made on the loop.
public final class Store: Sendable {
  public enum Purpose: Sendable {
    /// The one server; refused while another has the store.
    case serving
    /// A short command, which may run beside a server.
    case command
    /// The same, of a store that must be there.
    case inspection
  }

  public let directory: String
  /// Random, made with the store: it tells clients that their positions belong to this history.
  public let epoch: String
  private let pool: DatabasePool
  private let checkpoints: DatabaseQueue?
  private let lock: StoreLock?
  private let logLength = LogLength()

  /// Opens the store, making it first if it is not there, and brings its schema up to date.
  public init(directory: String, for purpose: Purpose) throws(StoreError) {
    self.directory = directory
    _ = Self.countsNoMemory
    _ = LogVFS.isDefault
    if purpose == .inspection, access(directory + "/wattloop.sqlite", F_OK) != 0 {
      throw .inaccessible(directory + "/wattloop.sqlite", errno: errno)
    }
    try Self.prepare(directory)
    lock = purpose == .serving ? try StoreLock.serving(directory) : nil
    let setUpLock = try StoreLock.setUp(directory)
    defer { withExtendedLifetime(setUpLock) {} }
    let path = directory + "/wattloop.sqlite"
    do {
      pool = try DatabasePool(path: path, configuration: Self.configuration)
      epoch = try Self.setUp(pool, path: path)
      logLength.watch(pool)
      // GRDB begins a log with a transaction of its own, before `synchronous` is FULL: nobody has synced that. If the first
      // sync after it failed, the kernel would drop its pages too, SQLite would write its own again but not those, and
      // after a power cut nothing behind them could be read. A checkpoint syncs the log first.
      if purpose == .serving { _ = try pool.writeWithoutTransaction(Self.checkpoint) }
      checkpoints =
        purpose == .serving ? try DatabaseQueue(path: path, configuration: Self.configuration) : nil
    } catch let error as StoreError {
      throw error
    } catch {
      throw .unusable(path: path, reason: Self.reason(error))
    }
  }

  /// Runs a closure on a read-only connection, in one snapshot of the store.
  public func read<T>(_ body: (Database) throws -> T) throws -> T { try pool.read(body) }

  /// Runs a closure on the read-write connection in one transaction, which is on disk when this returns.
  public func write<T>(_ body: (Database) throws -> T) throws -> T { try pool.write(body) }

  /// Runs a closure on the read-write connection, which begins and commits as it likes.
  public func writeWithoutTransaction<T>(_ body: (Database) throws -> T) throws -> T {
    try pool.writeWithoutTransaction(body)
  }

  /// The pages in the write-ahead log after the last commit of the read-write connection.
  var logPages: Int { logLength.pages.load(ordering: .relaxed) }

  /// Copies what it can from the write-ahead log into the database file on the read-write connection, waiting for nobody:
  /// between two transactions, where SQLite's own checkpoint would be part of some commit.
  /// - Returns: the pages of the log that are copied.
  @discardableResult
  public func checkpoint() throws -> Int { try pool.writeWithoutTransaction(Self.checkpoint) }

  /// The same on a connection of its own, which nobody else waits for. Only of a store that is `serving`.
  func checkpointBeside() throws -> Int { try checkpoints?.inDatabase(Self.checkpoint) ?? checkpoint() }

  private static func checkpoint(_ db: Database) throws -> Int {
    do {
      return try db.checkpoint(.passive).checkpointedFrameCount
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      return 0  // a command beside the server is at it
    }
  }

  /// Closes all connections. The read-write one goes last: only the last connection to close a store folds the log
  /// into the database file, and a read-only one cannot.
  public func close() throws {
    pool.releaseMemory()
    try checkpoints?.close()
    try pool.close()
  }
}

extension Store {
  /// Once for the process. Refused, and no harm, where a database was opened before.
  private static let countsNoMemory = sqlite_count_no_memory() == 0

  /// GRDB's connections come with `foreign_keys` on.
  private static var configuration: GRDB.Configuration {
    var configuration = GRDB.Configuration()
    configuration.label = "store"
    configuration.maximumReaderCount = 4
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA wal_autocheckpoint = 0;
          PRAGMA journal_size_limit = 67108864;
          PRAGMA cache_size = -8192;
          """)
    }
    return configuration
  }

  /// Readable by nobody else: there are password hashes in it. The log takes its mode from the database file.
  private static func prepare(_ directory: String) throws(StoreError) {
    try makeDirectories(directory)
    let path = directory + "/wattloop.sqlite"
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .inaccessible(path, errno: errno) }
    Glibc.close(descriptor)
  }

  private static func makeDirectories(_ path: String) throws(StoreError) {
    if mkdir(path, 0o700) == 0 { return }
    switch errno {
    case EEXIST:
      // A file in its place shows when the first file in it is opened.
      return
    case ENOENT:
      guard let slash = path.drop(while: { $0 == "/" }).lastIndex(of: "/") else {
        throw .inaccessible(path, errno: ENOENT)
      }
      try makeDirectories(String(path[..<slash]))
      if mkdir(path, 0o700) != 0 && errno != EEXIST { throw .inaccessible(path, errno: errno) }
    case let code: throw .inaccessible(path, errno: code)
    }
  }

  /// Returns the epoch.
  private static func setUp(_ pool: DatabasePool, path: String) throws -> String {
    try pool.writeWithoutTransaction { db in
      // Here and not in `prepareDatabase`: GRDB sets NORMAL when it turns the log on, and with that a power cut takes back
      // commits that were acknowledged.
      try db.execute(sql: "PRAGMA synchronous = FULL")
      // The writer's pages: thousands of senders each have a place of their own in the indexes.
      try db.execute(sql: "PRAGMA cache_size = -65536")
      if try Migrations.migrator.hasBeenSuperseded(db) { throw StoreError.newer(path: path) }
    }
    try Migrations.migrator.migrate(pool)
    // A change's savepoint keeps the pages that it touches as they were. From 64 KiB on they would go through a temporary
    // file: as many writes again as to the log. Each page is kept once, so it is as large as what the change touches.
    try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA temp_store = MEMORY") }
    return try pool.write { db in
      try db.execute(
        sql: "INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING",
        arguments: [Base64URL.encode(RandomBytes.make(16))])
      return try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'epoch'") ?? ""
    }
  }

  private static func reason(_ error: any Error) -> String {
    (error as? DatabaseError)?.message ?? "unexpected error"
  }
}
