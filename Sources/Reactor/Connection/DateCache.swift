import Glibc

/// The `Date` field's value, rendered once a second and not for each answer.
struct DateCache {
  private var rendered = HTTPDate(unixSeconds: time(nil))
  private var validUntil: UInt64 = 0

  /// - Parameter now: the loop's monotonic milliseconds, which cost nothing; the clock of the day is asked now and then.
  mutating func value(at now: UInt64) -> HTTPDate {
    if now >= validUntil {
      var clock = timespec()
      clock_gettime(CLOCK_REALTIME, &clock)
      rendered = HTTPDate(unixSeconds: clock.tv_sec)
      validUntil = now + 1000 - UInt64(clock.tv_nsec / 1_000_000)
    }
    return rendered
  }
}
