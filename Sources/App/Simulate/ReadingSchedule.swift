/// When each reading of a run is due: an open loop, in which a late answer puts nothing off. Readings are counted from 0, times
/// in milliseconds from the start. In whole numbers, so that the end of a reading and the start of the next are the same.
struct ReadingSchedule: Sendable {
  /// Readings in a million seconds.
  private let rate: UInt64
  /// A million seconds.
  private static let period: UInt64 = 1_000_000_000

  /// - Parameter rate: readings a second, in `SimulationPlan.rateRange`.
  init(rate: Double) { self.rate = UInt64(rate * 1_000_000) }

  /// How many readings are due at a time.
  func due(at time: UInt64) -> UInt64 {
    Self.period.dividingFullWidth(time.multipliedFullWidth(by: rate)).quotient
  }

  /// The first millisecond at which the reading is due. Two readings that are 1 ms or more apart have different ones.
  func time(of reading: UInt64) -> UInt64 {
    let (quotient, remainder) = rate.dividingFullWidth((reading + 1).multipliedFullWidth(by: Self.period))
    return remainder > 0 ? quotient + 1 : quotient
  }

  /// How late the first reading that has not been sent is.
  func lag(sent: UInt64, at time: UInt64) -> UInt64 {
    sent < due(at: time) ? time - self.time(of: sent) : 0
  }
}
