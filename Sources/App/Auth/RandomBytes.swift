import Glibc

/// Unpredictable bytes, with one system call for all of them: Swift's own generator makes one for each.
enum RandomBytes {
  /// - Parameter count: up to 256, which getentropy(3) gives whole; it cannot fail once the machine is up.
  static func make(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard getentropy(&bytes, count) == 0 else { fatalError("the system gives no random bytes") }
    return bytes
  }
}
