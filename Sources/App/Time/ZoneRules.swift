import Foundation

/// The UTC offsets of one IANA zone as a sorted table: Foundation takes a lock and walks a calendar for every
/// question.
final class ZoneRules: Sendable {
  /// What the table answers for, milliseconds since 1970: from 1970-01-01 to 2100-01-01, both in UTC. Before and
  /// after, the nearest offset it knows holds on.
  static let supported: Range<Int64> = 0..<4_102_444_800_000

  /// A stretch of time with one offset.
  struct Span: Sendable, Equatable {
    /// Milliseconds since 1970. `Int64.min` and `Int64.max` where the table ends.
    let start: Int64
    let end: Int64
    /// Seconds that the local clock is ahead of UTC.
    let offset: Int64
  }

  /// The name it was asked for by, which may be a link such as `Asia/Calcutta`.
  let identifier: String
  /// When each offset begins, in milliseconds. The first is `Int64.min`.
  private let starts: [Int64]
  private let offsets: [Int64]

  init(_ zone: TimeZone, identifier: String) {
    self.identifier = identifier
    var starts = [Int64.min]
    var date = Date(timeIntervalSince1970: Self.tableStart)
    var offsets = [Int64(zone.secondsFromGMT(for: date))]
    // In spite of its name this finds every change of a zone's rules, those of the standard time as well (on
    // Linux Foundation asks ICU, whose data is part of the program).
    while let next = zone.nextDaylightSavingTimeTransition(after: date), next > date,
      next.timeIntervalSince1970 < Self.tableEnd
    {
      date = next
      let offset = Int64(zone.secondsFromGMT(for: next))
      // Standard time can become what was summer time: another name, and the clock goes on as it was.
      guard offset != offsets.last else { continue }
      starts.append(Int64(next.timeIntervalSince1970) * 1000)
      offsets.append(offset)
    }
    self.starts = starts
    self.offsets = offsets
  }

  /// A local month that touches the supported range begins, or ends, at most 31 days and an offset outside it.
  private static let tableStart: TimeInterval = -33 * 86_400
  private static let tableEnd: TimeInterval = 4_102_444_800 + 33 * 86_400

  /// Seconds that the local clock is ahead of UTC at an instant in milliseconds.
  func offset(at instant: Int64) -> Int64 { offsets[index(at: instant)] }

  func span(at instant: Int64) -> Span {
    let index = index(at: instant)
    return Span(
      start: starts[index], end: index + 1 < starts.count ? starts[index + 1] : .max, offset: offsets[index])
  }

  /// The instants within a range at which another offset begins, in order.
  func transitions(in range: Range<Int64>) -> ArraySlice<Int64> {
    starts[max(1, index(at: range.lowerBound))...]
      .drop { $0 < range.lowerBound }
      .prefix { $0 < range.upperBound }
  }

  /// The first instant at which the local clock shows a time or a later one. So of a time that the clock skips
  /// it is the end of the gap, and of one that comes twice the earlier.
  /// - Parameter local: milliseconds since 1970 as if it were UTC, in the years 0001 to 9999.
  func firstInstant(atLocal local: Int64) -> Int64 {
    var index = index(at: local - Self.widestOffset)
    while true {
      let instant = max(starts[index], local - offsets[index] * 1000)
      guard index + 1 < starts.count, instant >= starts[index + 1] else { return instant }
      index += 1
    }
  }

  /// More than any offset, in milliseconds: before `local` less this, no clock of the zone shows `local`.
  private static let widestOffset: Int64 = 26 * 3_600_000

  /// The last entry that begins at the instant or before.
  private func index(at instant: Int64) -> Int {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= instant { low = middle } else { high = middle }
    }
    return low
  }
}
