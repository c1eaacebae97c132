import GRDB

/// The SQL of readings and resets.
enum ReadingStore {
  enum Change: Equatable {
    case new
    case duplicate
    /// Another value, or another start, at the same end; the start that it had.
    case corrected(from: Int64?)
  }

  /// Stores readings one after another, in one call of the database.
  struct Puts {
    private let db: Database
    private let insert: RawStatement

    init(_ db: Database) throws {
      self.db = db
      insert = try RawStatement(
        """
        INSERT INTO readings (metric_id, ends_at, starts_at, value) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO NOTHING
        """, db)
    }

    /// Stores a reading, the only one of its metric and end. Nearly all are new, and are looked for nowhere.
    func put(_ reading: Reading, of meter: Int64) throws -> Change {
      try run(insert, reading, meter)
      return db.changesCount == 1 ? .new : try correct(reading, of: meter, db)
    }
  }

  private static func correct(_ reading: Reading, of meter: Int64, _ db: Database) throws -> Change {
    let find = try RawStatement(
      "SELECT ends_at, starts_at, value FROM readings WHERE metric_id = ?1 AND ends_at = ?2", db)
    find.bind(meter, reading.end)
    let present = try rows(find).first
    if present == reading { return .duplicate }
    let update = try RawStatement(
      "UPDATE readings SET starts_at = ?3, value = ?4 WHERE metric_id = ?1 AND ends_at = ?2", db)
    try run(update, reading, meter)
    return .corrected(from: present?.start)
  }

  private static func run(_ statement: RawStatement, _ reading: Reading, _ meter: Int64) throws {
    statement.bind(meter, reading.end)
    statement.bind(reading.start, at: 3)
    statement.bind(reading.value, at: 4)
    try statement.run()
  }

  /// The end of the last reading before a moment, or at it, that is not undone; nil if there is none.
  static func soundEnd(atOrBefore time: Int64, of meter: Int64, _ db: Database) throws -> Int64? {
    let find = try RawStatement(
      """
      SELECT ends_at FROM readings WHERE metric_id = ?1 AND ends_at <= ?2 AND NOT EXISTS
        (SELECT 1 FROM resets WHERE metric_id = ?1 AND at = ends_at AND kind = 'undone')
      ORDER BY ends_at DESC LIMIT 1
      """, db)
    find.bind(meter, time)
    return try find.firstInteger()
  }

  /// The end of the first such reading at a moment or after it.
  static func soundEnd(atOrAfter time: Int64, of meter: Int64, _ db: Database) throws -> Int64? {
    let find = try RawStatement(
      """
      SELECT ends_at FROM readings WHERE metric_id = ?1 AND ends_at >= ?2 AND NOT EXISTS
        (SELECT 1 FROM resets WHERE metric_id = ?1 AND at = ends_at AND kind = 'undone')
      ORDER BY ends_at LIMIT 1
      """, db)
    find.bind(meter, time)
    return try find.firstInteger()
  }

  /// The end of the last reading of all, if it is later than a moment.
  static func lastEnd(after time: Int64, of meter: Int64, _ db: Database) throws -> Int64? {
    let find = try RawStatement(
      "SELECT max(ends_at) FROM readings WHERE metric_id = ?1 AND ends_at > ?2", db)
    find.bind(meter, time)
    return try find.firstInteger()
  }

  /// The readings whose ends lie in a closed range, in order.
  static func readings(_ range: ClosedRange<Int64>, of meter: Int64, _ db: Database) throws -> [Reading] {
    let find = try RawStatement(
      """
      SELECT ends_at, starts_at, value FROM readings
      WHERE metric_id = ?1 AND ends_at >= ?2 AND ends_at <= ?3 ORDER BY ends_at
      """, db)
    find.bind(meter, range.lowerBound, range.upperBound)
    return try rows(find)
  }

  /// The latest reading; nil if there is none.
  static func last(of meter: Int64, _ db: Database) throws -> Reading? {
    let find = try RawStatement(
      """
      SELECT ends_at, starts_at, value FROM readings WHERE metric_id = ?1 ORDER BY ends_at DESC LIMIT 1
      """, db)
    find.bind(meter)
    return try rows(find).first
  }

  /// Whether a reading whose end lies in a closed range names no start.
  static func lackStart(_ range: ClosedRange<Int64>, of meter: Int64, _ db: Database) throws -> Bool {
    let find = try RawStatement(
      """
      SELECT ends_at FROM readings
      WHERE metric_id = ?1 AND ends_at >= ?2 AND ends_at <= ?3 AND starts_at IS NULL LIMIT 1
      """, db)
    find.bind(meter, range.lowerBound, range.upperBound)
    return try find.firstInteger() != nil
  }

  /// The readings of more than a quarter that end after a moment and begin before another. An index holds them alone.
  static func longReadings(
    _ meter: Meter, endingAfter end: Int64, startingBefore start: Int64, _ db: Database
  ) throws -> [Reading] {
    guard meter.longest > Quarter.length else { return [] }
    let find = try RawStatement(
      """
      SELECT ends_at, starts_at, value FROM readings
      WHERE metric_id = ?1 AND ends_at > ?2 AND ends_at < ?3 AND starts_at < ?4
        AND ends_at - starts_at > 900000 ORDER BY ends_at
      """, db)
    find.bind(meter.id, end, start + meter.longest, start)
    return try rows(find)
  }

  private static func rows(_ statement: RawStatement) throws -> [Reading] {
    var found: [Reading] = []
    try statement.eachRow { row in
      found.append(Reading(end: row.integer(0), start: row.optionalInteger(1), value: row.double(2)))
      return true
    }
    return found
  }

  /// The resets of a closed range of time, in order.
  static func resets(_ range: ClosedRange<Int64>, of meter: Int64, _ db: Database) throws -> [Reset] {
    let find = try RawStatement(
      """
      SELECT kind, at, value_before, value_after FROM resets
      WHERE metric_id = ?1 AND at >= ?2 AND at <= ?3 ORDER BY at
      """, db)
    find.bind(meter, range.lowerBound, range.upperBound)
    var found: [Reset] = []
    try find.eachRow { row in
      found.append(
        Reset(
          kind: Reset.Kind(rawValue: row.text(0)) ?? .detected, at: row.integer(1),
          before: row.optionalDouble(2), after: row.double(3)))
      return true
    }
    return found
  }
}
