import GRDB

/// The end of what a meter has sent, kept in memory: with it readings behind the last one, as nearly all are, ask the store
/// for nothing. A meter has one where such readings only add to what is known: no reset stands behind its last reading, and
/// that is sound.
struct MeterTail {
  private(set) var last: Reading
  /// The buckets that are there of the last `kept` quarters, in order. There are none behind the last reading's.
  private(set) var buckets: [Bucket]

  /// How many quarters may be added to at once: those of an hour that begins within a quarter.
  static let most = 5
  /// With those before them in the hour of the device's own clock, which is shorter than two (`AlertKeeper`).
  private static let kept: Int64 = 12

  /// nil for a meter that has none.
  init?(of meter: Meter, _ db: Database) throws {
    guard let last = try ReadingStore.last(of: meter.id, db) else { return nil }
    if meter.kind == .counter {
      let resets = try ReadingStore.resets(last.end ... .max, of: meter.id, db)
      if resets.contains(where: { $0.at > last.end || $0.kind == .undone }) { return nil }
    }
    self.last = last
    let end = Quarter.number(endingAt: last.end)
    buckets = try BucketStore.buckets(end - Self.kept..<end, of: meter.id, db)
  }

  /// A quarter that ends no earlier than the last reading; empty if nothing is known of it.
  func bucket(_ number: Int64) -> Bucket {
    buckets.last { $0.number == number } ?? Bucket(number: number, total: .init(), revision: 0)
  }

  /// Notes a bucket that has grown: in the order of their numbers, after one another.
  mutating func put(_ bucket: Bucket) {
    if buckets.last?.number == bucket.number { buckets.removeLast() }
    buckets.append(bucket)
    buckets.removeAll { $0.number <= bucket.number - Self.kept }
  }

  /// Notes the reading that is the last one now.
  mutating func end(with reading: Reading) { last = reading }
}
