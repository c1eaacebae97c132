import GRDB

/// Keeps the buckets of a metric true to its readings: what a change of readings touches is computed anew from them, in the
/// same transaction. So the order and the batches in which readings come leave no trace.
struct BucketKeeper {
  let meter: Meter
  let db: Database
  let now: Timestamp
  /// Is given each bucket that has changed.
  var changed: ((Bucket) -> Void)?

  /// Quarters whose energy or coverage has changed.
  typealias Quarters = Range<Int64>

  /// Quarters that are computed at a time: some days, so that no length of history fills the memory.
  static let slice: Int64 = 960

  /// Computes anew what a stretch of changed readings and resets touches: up to the readings on either side of it, because
  /// each may be the start of the next one's span.
  /// - Parameters:
  ///   - changed: moments at which something changed, from the first to the last.
  ///   - namesStarts: no reading in it or right behind it begins where another ends, or did so before the change; the
  ///     starts of all lie in `changed`.
  /// - Returns: the quarters that were looked at.
  func refresh(around changed: ClosedRange<Int64>, namesStarts: Bool = false) throws -> Quarters {
    if namesStarts { return try refresh(Self.quarters(changed.lowerBound, changed.upperBound)) }
    let before = try ReadingStore.soundEnd(atOrBefore: changed.lowerBound - 1, of: meter.id, db)
    let after = try nextEnd(after: changed.upperBound)
    return try refresh(
      Self.quarters(
        before.map { max($0, changed.lowerBound - longestSpan) } ?? changed.lowerBound,
        after.map { min($0, changed.upperBound + longestSpan) } ?? changed.upperBound))
  }

  /// Adds readings behind the last one: what is known stays as it is, and their quarters grow by their spans. That is what
  /// computing them anew would give, and costs a small part of it.
  /// - Parameter readings: in the order of their ends, none of which begins before the last one ends.
  /// - Returns: the quarters that were looked at; nil if a register fell or there are too many, and then nothing is stored.
  func append(_ readings: [Reading], to tail: inout MeterTail) throws -> Quarters? {
    guard let last = readings.last, let spans = spans(of: readings, after: tail.last) else { return nil }
    let start = Quarter.number(at: spans.lazy.map(\.start).min() ?? last.end)
    let quarters = start..<max(start, Quarter.number(endingAt: last.end))
    guard quarters.count <= MeterTail.most else { return nil }
    var added = QuarterTotals(quarters)
    added.add(spans)
    for number in quarters {
      let old = tail.bucket(number)
      if let new = try store(old.total + added[number], in: old) { tail.put(new) }
    }
    tail.end(with: last)
    return quarters
  }

  /// nil if a register fell.
  private func spans(of readings: [Reading], after last: Reading) -> [Span]? {
    let all = [last] + readings
    switch meter.kind {
    case .interval: return Array(Spans.intervals(all, unit: meter.unit).dropFirst())
    case .power: return Spans.power(all)
    case .counter:
      let made = CounterSpans.make(all, unit: meter.unit, resets: [])
      return made.detected.isEmpty ? made.spans : nil
    }
  }

  /// Whether all readings of a stretch, and the one behind it, name their starts.
  func nameStarts(_ changed: ClosedRange<Int64>) throws -> Bool {
    let after = try ReadingStore.soundEnd(atOrAfter: changed.upperBound + 1, of: meter.id, db)
    return try !ReadingStore.lackStart(
      changed.lowerBound...(after ?? changed.upperBound), of: meter.id, db)
  }

  /// The reading up to which a change is felt.
  private func nextEnd(after time: Int64) throws -> Int64? {
    let sound = try ReadingStore.soundEnd(atOrAfter: time + 1, of: meter.id, db)
    guard sound == nil && meter.kind == .counter else { return sound }
    // An undone one counts nevertheless when it is no fall any more.
    return try ReadingStore.lastEnd(after: time, of: meter.id, db)
  }

  /// The quarters that touch a stretch, and the one that ends where it begins.
  private static func quarters(_ start: Int64, _ end: Int64) -> Quarters {
    Quarter.number(at: start - 1)..<Quarter.number(endingAt: max(end, start))
  }

  /// Computes the buckets of a range of quarters, and stores those that have changed.
  private func refresh(_ quarters: Quarters) throws -> Quarters {
    var next = quarters.lowerBound
    while next < quarters.upperBound {
      let end = min(next + Self.slice, quarters.upperBound)
      let computed = try compute(next..<end)
      try store(computed.detected, over: computed.known)
      try store(computed.totals)
      next = end
    }
    return quarters
  }

  // MARK: Computing

  struct Computed {
    var totals: QuarterTotals
    /// The falls among the readings of `known`.
    var detected: [Reset]
    /// The ends of the readings that were looked at, but for the first: of it alone it is not known whether it fell.
    var known: Range<Int64>?
  }

  /// What the buckets of a range must be, from the readings alone.
  func compute(_ quarters: Quarters) throws -> Computed {
    let start = Quarter.start(quarters.lowerBound)
    let end = Quarter.start(quarters.upperBound)
    let first = try ReadingStore.soundEnd(atOrBefore: start, of: meter.id, db) ?? 0
    var last = try ReadingStore.soundEnd(atOrAfter: end, of: meter.id, db) ?? .max
    // What ends behind the next one may have begun in the range; an index finds only those longer than a quarter.
    if meter.kind == .interval { last = max(last, end + Quarter.length) }
    let readings = try ReadingStore.readings(first...last, of: meter.id, db)
    var totals = QuarterTotals(quarters)
    guard let firstEnd = readings.first?.end, let lastEnd = readings.last?.end else {
      return Computed(totals: totals, detected: [], known: nil)
    }
    switch meter.kind {
    case .interval:
      let long = try ReadingStore.longReadings(meter, endingAfter: lastEnd, startingBefore: end, db)
      totals.add(Spans.intervals(readings, unit: meter.unit) + Spans.intervals(long, unit: meter.unit))
    case .power: totals.add(Spans.power(readings))
    case .counter:
      let resets = try ReadingStore.resets(firstEnd...lastEnd, of: meter.id, db)
      let made = CounterSpans.make(readings, unit: meter.unit, resets: resets)
      totals.add(made.spans)
      return Computed(totals: totals, detected: made.detected, known: firstEnd + 1..<lastEnd + 1)
    }
    return Computed(totals: totals, detected: [], known: nil)
  }

  // MARK: Storing

  private func store(_ totals: QuarterTotals) throws {
    let present = try BucketStore.buckets(totals.range, of: meter.id, db)
    var next = 0
    for number in totals.range {
      var old = Bucket(number: number, total: .init(), revision: 0)
      if next < present.count, present[next].number == number {
        old = present[next]
        next += 1
      }
      try store(totals[number], in: old)
    }
  }

  /// Gives a bucket another total.
  /// - Returns: nil if it has just this one.
  @discardableResult
  private func store(_ total: QuarterTotals.Total, in old: Bucket) throws -> Bucket? {
    if old.total == total { return nil }
    let new = Bucket(number: old.number, total: total, revision: old.revision + 1)
    try BucketStore.put(new, of: meter.id, db)
    changed?(new)
    return new
  }

  /// Stores the falls that are new, and takes away those that are no more.
  private func store(_ detected: [Reset], over ends: Range<Int64>?) throws {
    guard let ends, !ends.isEmpty else { return }
    let range = ends.lowerBound...ends.upperBound - 1
    let present = try ReadingStore.resets(range, of: meter.id, db).filter { $0.kind == .detected }
    if present == detected { return }
    let kept = Set(detected.lazy.map(\.at))
    for gone in present where !kept.contains(gone.at) {
      try db.cachedStatement(sql: "DELETE FROM resets WHERE metric_id = ? AND at = ? AND kind = 'detected'")
        .execute(arguments: [meter.id, gone.at])
    }
    let known = Dictionary(present.lazy.map { ($0.at, $0) }, uniquingKeysWith: { first, _ in first })
    for new in detected where known[new.at] != new {
      try db.cachedStatement(
        sql: """
          INSERT INTO resets (metric_id, at, kind, value_before, value_after, created_at)
          VALUES (?, ?, 'detected', ?, ?, ?)
          ON CONFLICT DO UPDATE SET value_before = excluded.value_before, value_after = excluded.value_after
          """
      ).execute(arguments: [meter.id, new.at, new.before, new.after, now.milliseconds])
    }
  }
}
