import GRDB

/// Gives out positions: the one order of all events of the store. Belongs to the writer's thread.
final class Positions {
  private var last: Int64?

  /// What is in memory may have been rolled back.
  func forget() { last = nil }

  /// The position that the next event will have. It is given out when `use` is called with it.
  func next(_ db: Database) throws -> Int64 {
    if let last { return last + 1 }
    let stored = try Self.last(in: db)
    last = stored
    return stored + 1
  }

  func use(_ position: Int64) { last = position }

  /// The position of the last event; 0 in a new store.
  static func last(in db: Database) throws -> Int64 {
    let statement = try db.cachedStatement(
      sql: """
        SELECT max(coalesce((SELECT max(position) FROM messages), 0),
          coalesce((SELECT max(position) FROM alert_events), 0),
          coalesce((SELECT max(position) FROM events), 0))
        """)
    return try Int64.fetchOne(statement) ?? 0
  }
}
