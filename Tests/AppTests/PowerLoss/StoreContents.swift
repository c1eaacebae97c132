import GRDB

@testable import App

/// All that a store holds, table by table: two are equal if the same is in them.
struct StoreContents: Equatable {
  private var tables: [String: String] = [:]

  init(_ store: Store) throws { self = try store.read(StoreContents.init) }

  private init(_ db: Database) throws {
    // A virtual table's own contents lie in its shadow tables, which are listed beside it.
    let columns = try Row.fetchAll(
      db,
      sql: """
        SELECT s.name, group_concat('quote("' || c.name || '")', ' || '','' || ') AS quoted
        FROM sqlite_schema s, pragma_table_info(s.name) c
        WHERE s.type = 'table' AND s.sql NOT LIKE 'CREATE VIRTUAL%' GROUP BY s.name
        """)
    for table in columns {
      let (name, quoted) = (table["name"] as String, table["quoted"] as String)
      // In the order of the primary key, as the table lies there.
      tables[name] = try String.fetchOne(db, sql: "SELECT group_concat(\(quoted), char(10)) FROM \"\(name)\"")
    }
  }

  /// The tables in which another store differs.
  func difference(from other: StoreContents) -> [String] {
    Set(tables.keys).union(other.tables.keys).filter { tables[$0] != other.tables[$0] }.sorted()
  }
}
