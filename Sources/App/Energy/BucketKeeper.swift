import GRDB

/// Keeps the buckets of a metric true to its readings: what a change of readings touches is computed anew from them, in the
/// same transaction. So the order and the batches in which readings come leave no trace.
struct BucketKeeper {
  let meter: Meter
  let db: Database
  let now: Timestamp

  /// Quarters whose energy or coverage has changed.
  typealias Quarters = Range<Int64>

  /// Computes anew what a stretch of changed readings and resets touches: up to the readings on either side of it, because
  /// each may be the start of the next one's span.
  /// - Parameter changed: moments at which something changed, from the first to the last.
  /// - Returns: the quarters that were looked at.
  func refresh(around changed: ClosedRange<Int64>) throws -> Quarters {
    let before = try ReadingStore.soundEnd(atOrBefore: changed.lowerBound - 1, of: meter.id, db)
    let after = try ReadingStore.soundEnd(atOrAfter: changed.upperBound + 1, of: meter.id, db)
    let start = before.map { max($0, changed.lowerBound - longestSpan) } ?? changed.lowerBound
    let end = after.map { min($0, changed.upperBound + longestSpan) } ?? changed.upperBound
    return try refresh(Quarter.number(at: start - 1)..<Quarter.number(endingAt: max(end, start + 1)))
  }

  /// Computes the buckets of a range of quarters, and stores those that have changed.
  func refresh(_ quarters: Quarters) throws -> Quarters {
    let computed = try compute(quarters)
    try store(computed.detected, over: computed.known)
    try store(computed.totals)
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
    let reach = meter.kind == .interval ? end + meter.longest : end
    let last = try ReadingStore.soundEnd(atOrAfter: reach, of: meter.id, db) ?? .max
    let readings = try ReadingStore.readings(first...last, of: meter.id, db)
    var totals = QuarterTotals(quarters)
    guard let firstEnd = readings.first?.end, let lastEnd = readings.last?.end else {
      return Computed(totals: totals, detected: [], known: nil)
    }
    switch meter.kind {
    case .interval: totals.add(Spans.intervals(readings, unit: meter.unit))
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
      let total = totals[number]
      var old = Bucket(number: number, total: .init(), revision: 0)
      if next < present.count, present[next].number == number {
        old = present[next]
        next += 1
      }
      if old.total == total { continue }
      try BucketStore.put(Bucket(number: number, total: total, revision: old.revision + 1), of: meter.id, db)
    }
  }

  /// Stores the falls that are new, and takes away those that are no more.
  private func store(_ detected: [Reset], over known: Range<Int64>?) throws {
    guard let known, !known.isEmpty else { return }
    let range = known.lowerBound...known.upperBound - 1
    let present = try ReadingStore.resets(range, of: meter.id, db).filter { $0.kind == .detected }
    if present == detected { return }
    for gone in present where !detected.contains(gone) {
      try db.cachedStatement(sql: "DELETE FROM resets WHERE metric_id = ? AND at = ? AND kind = 'detected'")
        .execute(arguments: [meter.id, gone.at])
    }
    for new in detected where !present.contains(new) {
      try db.cachedStatement(
        sql: """
          INSERT INTO resets (metric_id, at, kind, value_before, value_after, created_at)
          VALUES (?, ?, 'detected', ?, ?, ?)
          """
      ).execute(arguments: [meter.id, new.at, new.before, new.after, now.milliseconds])
    }
  }
}
