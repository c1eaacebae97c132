import GRDB
import GRDBSQLite

/// A cached statement, bound and stepped by SQLite's own calls: on hot paths GRDB's arguments and rows cost more than the
/// query. Valid as long as its database call; `run` and `eachRow` leave it reset.
struct RawStatement {
  let pointer: SQLiteStatement
  private let db: Database

  init(_ sql: String, _ db: Database) throws {
    pointer = try db.cachedStatement(sql: sql).sqliteStatement
    self.db = db
    sqlite3_reset(pointer)
  }

  func bind(_ values: Int64...) {
    for (index, value) in values.enumerated() { sqlite3_bind_int64(pointer, Int32(index + 1), value) }
  }

  func bind(_ value: Int64?, at index: Int32) {
    if let value { sqlite3_bind_int64(pointer, index, value) } else { sqlite3_bind_null(pointer, index) }
  }

  func bind(_ value: Double?, at index: Int32) {
    if let value { sqlite3_bind_double(pointer, index, value) } else { sqlite3_bind_null(pointer, index) }
  }

  func bind(_ value: String?, at index: Int32) {
    guard let value else {
      sqlite3_bind_null(pointer, index)
      return
    }
    // SQLITE_TRANSIENT, a macro that Swift does not see: SQLite copies the bytes, which are gone after the call.
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    sqlite3_bind_text(pointer, index, value, Int32(value.utf8.count), transient)
  }

  /// False after the last row.
  func step() throws -> Bool {
    switch sqlite3_step(pointer) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let result:
      let message = db.lastErrorMessage
      sqlite3_reset(pointer)
      throw DatabaseError(resultCode: ResultCode(rawValue: result), message: message)
    }
  }

  func reset() { sqlite3_reset(pointer) }

  /// Runs a statement that has no rows.
  func run() throws {
    defer { reset() }
    while try step() {}
  }

  /// Visits the rows until `body` returns false.
  func eachRow(_ body: (RawStatement) throws -> Bool) throws {
    defer { reset() }
    while try step() { if try !body(self) { return } }
  }

  /// The first column of the first row; nil for NULL or no row.
  func firstInteger() throws -> Int64? {
    defer { reset() }
    return try step() ? optionalInteger(0) : nil
  }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }
  func double(_ column: Int32) -> Double { sqlite3_column_double(pointer, column) }

  func optionalInteger(_ column: Int32) -> Int64? {
    sqlite3_column_type(pointer, column) == SQLITE_NULL ? nil : integer(column)
  }

  func optionalDouble(_ column: Int32) -> Double? {
    sqlite3_column_type(pointer, column) == SQLITE_NULL ? nil : double(column)
  }
}

extension RawStatement {
  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(pointer, column) == SQLITE_NULL }

  func text(_ column: Int32) -> String {
    sqlite3_column_text(pointer, column).map { String(cString: $0) } ?? ""
  }
}
