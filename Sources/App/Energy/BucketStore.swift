import GRDB

/// A quarter's consumption as it is stored.
struct Bucket: Equatable, Sendable {
  let number: Int64
  let total: QuarterTotals.Total
  /// Grows with every change.
  let revision: Int64
}

/// The SQL of buckets.
enum BucketStore {
  /// The buckets of a range of quarters that are there, in order.
  static func buckets(_ range: Range<Int64>, of meter: Int64, _ db: Database) throws -> [Bucket] {
    var found: [Bucket] = []
    try forEach(range, of: meter, db) { found.append($0) }
    return found
  }

  static func forEach(
    _ range: Range<Int64>, of meter: Int64, _ db: Database, _ body: (Bucket) throws -> Void
  ) throws {
    let find = try RawStatement(
      """
      SELECT number, energy, covered, revision FROM buckets
      WHERE metric_id = ?1 AND number >= ?2 AND number < ?3 ORDER BY number
      """, db)
    find.bind(meter, range.lowerBound, range.upperBound)
    try find.eachRow { row in
      let total = QuarterTotals.Total(energy: MicrowattHours(row.integer(1)), covered: row.integer(2))
      try body(Bucket(number: row.integer(0), total: total, revision: row.integer(3)))
      return true
    }
  }

  /// The latest bucket of which anything is known.
  static func last(of meter: Int64, _ db: Database) throws -> Bucket? {
    let number = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT max(number) FROM buckets WHERE metric_id = ? AND covered > 0"),
      arguments: [meter])
    return try number.flatMap { try buckets($0..<$0 + 1, of: meter, db).first }
  }

  static func put(_ bucket: Bucket, of meter: Int64, _ db: Database) throws {
    let put = try RawStatement(
      """
      INSERT INTO buckets (metric_id, number, energy, covered, revision) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT DO UPDATE SET energy = excluded.energy, covered = excluded.covered,
        revision = excluded.revision
      """, db)
    put.bind(meter, bucket.number, bucket.total.energy.count, bucket.total.covered, bucket.revision)
    try put.run()
  }
}
