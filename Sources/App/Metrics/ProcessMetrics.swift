import Glibc

/// What the kernel says of this process.
enum ProcessMetrics {
  /// User and system time together.
  static var cpuSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let times = [usage.ru_utime, usage.ru_stime]
    return times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000 }
  }

  /// 0 where `/proc` is not to be had.
  static var residentBytes: Int {
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    let text = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) {
      String(decoding: $0[..<max(0, read(file, $0.baseAddress, $0.count))], as: UTF8.self)
    }
    // Pages: all, resident, shared and so on (proc(5)).
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (pages ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }
}
