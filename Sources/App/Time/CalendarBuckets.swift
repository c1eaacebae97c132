/// The buckets that touch a range of time, whole and without a gap: each ends where the next begins.
struct CalendarBuckets: Sendable {
  let buckets: [CalendarBucket]
  /// There are more than `maximum`. The buckets are then the first of them.
  let hasMore: Bool

  /// - Parameters:
  ///   - from, to: milliseconds since 1970; `to` is outside the range. What lies outside
  ///     `ZoneRules.supported` is left out.
  ///   - maximum: how many buckets are made at most.
  init(from: Int64, to: Int64, granularity: Granularity, rules: ZoneRules, maximum: Int) {
    let from = max(from, ZoneRules.supported.lowerBound)
    let to = min(to, ZoneRules.supported.upperBound)
    guard from < to else {
      buckets = []
      hasMore = false
      return
    }
    let boundaries = BucketBoundaries(granularity: granularity, rules: rules)
    var made: [CalendarBucket] = []
    made.reserveCapacity(min(max(0, maximum), Int((to - from) / granularity.usualLength) + 2))
    var start = boundaries.floor(from)
    while start < to, made.count < maximum {
      let end = boundaries.next(after: start)
      made.append(CalendarBucket(start: start, end: end, offset: rules.offset(at: start)))
      start = end
    }
    buckets = made
    hasMore = start < to
  }
}
