import Glibc

/// How many descriptors the process may have open: one for each connection, and a few of its own.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one: the soft limit's usual 1,024 is for programs that still use `select`.
  /// - Returns: the limit now.
  @discardableResult
  public static func raise() -> UInt64 {
    let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    getrlimit(descriptors, &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(descriptors, &limit)
    return UInt64(limit.rlim_cur)
  }
}
