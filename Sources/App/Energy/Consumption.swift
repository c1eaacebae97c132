import GRDB

/// What was used in stretches of time, summed from quarters.
enum Consumption {
  struct Sum: Equatable, Sendable {
    var energy = MicrowattHours.zero
    /// Milliseconds of which something is known.
    var covered: Int64 = 0
    /// Grows with every change to any of its quarters.
    var revision: Int64 = 0

    mutating func add(_ bucket: Bucket) {
      energy += bucket.total.energy
      covered += bucket.total.covered
      revision += bucket.revision
    }
  }

  /// One sum for each stretch, in one pass over the meter's buckets.
  static func sums(of meter: Int64, over stretches: [CalendarBucket], _ db: Database) throws -> [Sum] {
    var sums = Array(repeating: Sum(), count: stretches.count)
    try add(meter, over: stretches, to: &sums, db)
    return sums
  }

  /// The same, of buckets in order.
  static func sums(of buckets: [Bucket], over stretches: [CalendarBucket]) -> [Sum] {
    var sums = Array(repeating: Sum(), count: stretches.count)
    for bucket in buckets {
      let start = Quarter.start(bucket.number)
      if let index = stretches.firstIndex(where: { $0.start <= start && start < $0.end }) {
        sums[index].add(bucket)
      }
    }
    return sums
  }

  /// The same, added to what is there.
  static func add(
    _ meter: Int64, over stretches: [CalendarBucket], to sums: inout [Sum], _ db: Database
  ) throws {
    guard let first = stretches.first, let last = stretches.last else { return }
    let range =
      Quarter.number(
        at: first.start)..<max(
        Quarter.number(at: first.start), Quarter.number(at: last.end))
    var index = 0
    try BucketStore.forEach(range, of: meter, db) { bucket in
      let start = Quarter.start(bucket.number)
      while stretches[index].end <= start { index += 1 }
      sums[index].add(bucket)
    }
  }
}
