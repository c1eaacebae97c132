/// Where buckets of one granularity begin in one zone. Instants are milliseconds since 1970; those outside
/// `ZoneRules.supported` count as its nearest end.
///
/// - 15 minutes: the multiples of 900 s in UTC.
/// - Hours: where the local clock shows a full hour, and where it is set. So Lord Howe, which sets its clock by
///   half an hour, has hours of 30 minutes then.
/// - Days and months: the first instant of the local date. A date that the clock skips has none; of a midnight
///   that comes twice it is the earlier.
///
/// A clock may be set at 00:01 (Antarctica/Casey, 2022), and an offset may have been -00:44:30 (Africa/Monrovia,
/// 1971). Such a boundary is rounded down to the base bucket that holds it, so that every bucket is made of whole
/// base buckets. Two boundaries in the same base bucket are one.
struct BucketBoundaries: Sendable {
  let granularity: Granularity
  let rules: ZoneRules

  /// The start of the bucket that holds an instant.
  func floor(_ instant: Int64) -> Int64 {
    // A boundary is rounded to the start of this base bucket or before if, exactly, it lies before its end.
    base(exactStart(lastOfBase(instant)))
  }

  /// The start of the bucket behind the one that holds an instant.
  func next(after instant: Int64) -> Int64 { base(exactNext(after: lastOfBase(instant))) }

  private func base(_ instant: Int64) -> Int64 {
    instant - instant.dividedDown(by: Granularity.base).remainder
  }

  private func lastOfBase(_ instant: Int64) -> Int64 {
    let clamped = min(max(instant, ZoneRules.supported.lowerBound), ZoneRules.supported.upperBound)
    return base(clamped) + Granularity.base - 1
  }

  /// The last boundary at the instant or before, not rounded.
  private func exactStart(_ instant: Int64) -> Int64 {
    switch granularity {
    case .quarterHour: return base(instant)
    case .hour:
      let span = rules.span(at: instant)
      return max(span.start, fullHour(instant, span))
    case .day, .month:
      // The clock may have been past this date, and was set back over midnight.
      var first = firstDay(localDay(at: instant) + 1)
      while start(ofDay: first) > instant { first = firstDay(first - 1) }
      return start(ofDay: first)
    }
  }

  /// The first boundary behind the instant, not rounded.
  private func exactNext(after instant: Int64) -> Int64 {
    switch granularity {
    case .quarterHour: return base(instant) + Granularity.base
    case .hour:
      let span = rules.span(at: instant)
      return min(span.end, fullHour(instant, span) + Self.hour)
    case .day, .month:
      var first = firstDay(localDay(at: instant))
      repeat { first = firstDay(first + longest) } while start(ofDay: first) <= instant
      return start(ofDay: first)
    }
  }

  /// When the local clock showed the full hour, had it always been set as in the span.
  private func fullHour(_ instant: Int64, _ span: ZoneRules.Span) -> Int64 {
    instant - (instant + span.offset * 1000).dividedDown(by: Self.hour).remainder
  }

  private static let hour: Int64 = 3_600_000

  /// The day since 1970 that the local clock shows.
  private func localDay(at instant: Int64) -> Int64 {
    (instant + rules.offset(at: instant) * 1000).dividedDown(by: 86_400_000).quotient
  }

  private func start(ofDay day: Int64) -> Int64 { rules.firstInstant(atLocal: day * 86_400_000) }

  /// The first day of the day's own bucket.
  private func firstDay(_ day: Int64) -> Int64 {
    granularity == .month ? day - CivilDate(daysSince1970: day).day + 1 : day
  }

  /// Days that lead from the first day of a bucket into the next bucket, and not past it.
  private var longest: Int64 { granularity == .month ? 31 : 1 }
}
