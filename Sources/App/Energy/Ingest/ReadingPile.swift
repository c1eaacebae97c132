import GRDB

/// The limit of long readings on top of each other. What a reading costs grows with those around it: without a limit, a few
/// thousand of a year each would keep the writer for seconds with each that follows.
enum ReadingPile {
  /// How many others of more than a day a reading of more than a day may overlap.
  static let most = 100

  private static let day: Int64 = 86_400_000

  static func isFull(under reading: Reading, of meter: Meter, _ db: Database) throws -> Bool {
    guard let start = reading.start, reading.end - start > day, meter.longest > day else { return false }
    // The first of the two lengths is the index's.
    let find = try RawStatement(
      """
      SELECT count(*) FROM (
        SELECT 1 FROM readings
        WHERE metric_id = ?1 AND ends_at > ?2 AND ends_at < ?3 AND starts_at < ?4 AND ends_at <> ?4
          AND ends_at - starts_at > 900000 AND ends_at - starts_at > 86400000
        LIMIT ?5)
      """, db)
    find.bind(meter.id, start, reading.end + meter.longest, reading.end, Int64(most))
    return try find.firstInteger() == Int64(most)
  }
}
