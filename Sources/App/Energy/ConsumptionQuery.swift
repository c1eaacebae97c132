import Reactor

/// What `/consumption` is asked for: `?from&to&granularity&tz&metric`.
struct ConsumptionQuery: Sendable {
  let granularity: Granularity
  let zone: ZoneRules
  let buckets: [CalendarBucket]
  let metric: String?

  /// A year of quarter hours, and a day.
  static let mostBuckets = 36_000

  /// - Parameter zone: that of the device, for a request that names none.
  /// - Throws: `validation` with every parameter that is wrong.
  init(_ query: Query, zone own: ZoneRules, now: Timestamp = .now()) throws(Problem) {
    let granularity = query["granularity"].map { Granularity(rawValue: $0) } ?? .hour
    let zone = query["tz"].map(ZoneRules.named) ?? own
    var errors: [Problem.FieldError] = []
    if granularity == nil { errors.append(.init("?granularity", "must be 15m, hour, day or month")) }
    if zone == nil { errors.append(.init("?tz", "must be a time zone of the IANA database")) }
    guard let granularity, let zone else { throw .validation(errors) }
    let range = try TimeRange(query, in: zone, usual: granularity.usualRange, now: now)
    let made = CalendarBuckets(
      from: range.from, to: range.to, granularity: granularity, rules: zone, maximum: Self.mostBuckets)
    if made.hasMore {
      throw .validation("?from", "to ?to there are more than \(Self.mostBuckets) buckets")
    }
    self.granularity = granularity
    self.zone = zone
    buckets = made.buckets
    metric = query["metric"]
  }
}

extension Granularity {
  /// What is shown where nobody says from when: a day of quarters or hours, a month of days, a year of months.
  fileprivate var usualRange: Int64 {
    switch self {
    case .quarterHour, .hour: 86_400_000
    case .day: 31 * 86_400_000
    case .month: 366 * 86_400_000
    }
  }
}

/// `?from&to`: milliseconds since 1970, `to` outside.
struct TimeRange: Sendable {
  let from: Int64
  let to: Int64

  private static let rule = "must be an RFC 3339 date-time or a date, from 1970 to 2099"

  /// - Parameter usual: how far before `to` the range begins where there is no `from`; nil: all of time.
  init(_ query: Query, in zone: ZoneRules, usual: Int64?, now: Timestamp = .now()) throws(Problem) {
    var errors: [Problem.FieldError] = []
    func time(_ name: String) -> Int64? {
      guard let text = query[name] else { return nil }
      if let time = Timestamp(query: text, in: zone)?.milliseconds, ZoneRules.supported.contains(time) {
        return time
      }
      errors.append(.init("?\(name)", Self.rule))
      return nil
    }
    let from = time("from")
    let to = time("to")
    if !errors.isEmpty { throw .validation(errors) }
    let present = max(now.milliseconds, from ?? 0) + 1
    let end = to ?? (usual == nil ? ZoneRules.supported.upperBound : present)
    self.to = end
    self.from = from ?? usual.map { max(0, end - $0) } ?? 0
    if self.from >= end { throw .validation("?from", "must be before ?to") }
  }
}
