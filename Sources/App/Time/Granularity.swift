/// How long the buckets of a query are.
enum Granularity: String, Sendable, CaseIterable {
  case quarterHour = "15m"
  case hour
  case day
  case month

  /// Milliseconds of the base bucket, of which all others are made.
  static let base: Int64 = 900_000

  /// Milliseconds of a common bucket, the shortest of months.
  var usualLength: Int64 {
    switch self {
    case .quarterHour: Self.base
    case .hour: 3_600_000
    case .day: 86_400_000
    case .month: 28 * 86_400_000
    }
  }
}
