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

  /// The same, of buckets that are at hand, in order; those outside the stretches do not count.
  static func sums(of buckets: [Bucket], over stretches: [CalendarBucket]) -> [Sum] {
    var sums = Array(repeating: Sum(), count: stretches.count)
    let quarters = quarters(of: stretches)
    var index = 0
    for bucket in buckets where quarters.contains(bucket.number) {
      add(bucket, over: stretches, &index, to: &sums)
    }
    return sums
  }

  /// The same as the first, added to what is there.
  static func add(
    _ meter: Int64, over stretches: [CalendarBucket], to sums: inout [Sum], _ db: Database
  ) throws {
    var index = 0
    try BucketStore.forEach(quarters(of: stretches), of: meter, db) {
      add($0, over: stretches, &index, to: &sums)
    }
  }

  private static func quarters(of stretches: [CalendarBucket]) -> Range<Int64> {
    guard let first = stretches.first, let last = stretches.last else { return 0..<0 }
    let start = Quarter.number(at: first.start)
    return start..<max(start, Quarter.number(at: last.end))
  }

  /// - Parameter index: of the stretch in which the bucket before this one lies.
  private static func add(
    _ bucket: Bucket, over stretches: [CalendarBucket], _ index: inout Int, to sums: inout [Sum]
  ) {
    let start = Quarter.start(bucket.number)
    while stretches[index].end <= start { index += 1 }
    sums[index].add(bucket)
  }
}
