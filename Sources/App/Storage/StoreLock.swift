import Glibc

/// A lock file. The kernel drops the lock with the process, so a killed one leaves nothing stale.
final class StoreLock: Sendable {
  private let descriptor: Int32

  /// Held by a server while it has a store open: two of them on one store would each believe to own
  /// `position` and `seq`. Commands do without it.
  static func serving(_ directory: String) throws(StoreError) -> StoreLock {
    try StoreLock(directory, file: "lock", operation: LOCK_EX | LOCK_NB)
  }

  /// Held while the schema is made, so that a server and a command may start on an empty directory at once.
  static func setUp(_ directory: String) throws(StoreError) -> StoreLock {
    try StoreLock(directory, file: "setup.lock", operation: LOCK_EX)
  }

  private init(_ directory: String, file: String, operation: Int32) throws(StoreError) {
    let path = directory + "/" + file
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard opened >= 0 else { throw .inaccessible(path, errno: errno) }
    guard flock(opened, operation) == 0 else {
      let code = errno
      close(opened)
      if code == EWOULDBLOCK { throw .locked(path: directory) }
      throw .inaccessible(path, errno: code)
    }
    descriptor = opened
  }

  deinit { close(descriptor) }
}
