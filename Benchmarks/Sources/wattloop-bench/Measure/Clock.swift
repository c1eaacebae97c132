import Glibc

/// Nanoseconds of the monotonic clock. All times of a run come from here: both ends of a message are one process.
enum Clock {
  static var now: UInt64 { time(CLOCK_MONOTONIC) }

  /// Nanoseconds that this process has computed.
  static var cpuTime: UInt64 { time(CLOCK_PROCESS_CPUTIME_ID) }

  static func after(_ seconds: Double) -> UInt64 { now + UInt64(seconds * 1e9) }

  private static func time(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
