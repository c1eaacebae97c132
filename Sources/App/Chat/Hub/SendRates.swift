/// How much each user may still send. Kept by user and not by socket, so that a new connection is no new allowance.
struct SendRates {
  private var allowances: [Int64: Allowance] = [:]
  /// How many there may be until the full ones are looked for.
  private var pruneAt = 1024

  /// Takes one message from the user's allowance; how long to wait, in milliseconds, if there is none.
  mutating func spend(_ user: Int64, rate: Int, now: UInt64) -> UInt64? {
    if allowances.count >= pruneAt {
      // After a second at rest an allowance is full, and as good as none.
      allowances = allowances.filter { !$0.value.isFull(rate: rate, now: now) }
      pruneAt = max(1024, 2 * allowances.count)
    }
    return allowances[user, default: Allowance()].spend(rate: rate, now: now)
  }
}

/// A token bucket: `rate` a second, and as many at once.
struct Allowance {
  /// Thousandths of a message that have been used.
  private var used: UInt32 = 0
  private var updated: UInt32 = 0

  /// Nil if one may pass; else the milliseconds until it may.
  mutating func spend(rate: Int, now: UInt64) -> UInt64? {
    regain(rate, now)
    guard Int(used) + 1000 <= rate * 1000 else { return UInt64(1000 / max(1, rate)) + 1 }
    used += 1000
    return nil
  }

  private mutating func regain(_ rate: Int, _ now: UInt64) {
    let time = UInt32(truncatingIfNeeded: now)
    let regained = UInt64(time &- updated) * UInt64(rate)
    updated = time
    used = UInt64(used) > regained ? used - UInt32(regained) : 0
  }

  func isFull(rate: Int, now: UInt64) -> Bool {
    var later = self
    later.regain(rate, now)
    return later.used == 0
  }
}
