import GRDBSQLite
import Glibc

/// SQLite's own VFS (https://sqlite.org/vfs.html), which writes to the write-ahead log in few large pieces.
///
/// SQLite writes each page that a transaction has changed with two calls, one for the frame's head of 24 bytes: they were a
/// fifth of what storing a message costs. Here frames gather, and are written together no later than with the last one of
/// their transaction (`LogFile`). All other files are SQLite's own.
enum LogVFS {
  /// Makes it the default one of the process, over the one that was, once.
  static let isDefault: Bool = register(over: sqlite3_vfs_find(nil), name: "log")

  /// Makes one the default.
  static func register(over inner: UnsafeMutablePointer<sqlite3_vfs>, name: String) -> Bool {
    let vfs = UnsafeMutablePointer<LogVFSHead>.allocate(capacity: 1)
    vfs.initialize(to: LogVFSHead(base: inner.pointee, inner: inner))
    vfs.pointee.base.pNext = nil
    vfs.pointee.base.zName = UnsafePointer(strdup(name))
    vfs.pointee.base.szOsFile += Int32(LogFile.headSize)
    vfs.pointee.base.xOpen = { LogVFS.open($0, $1, $2, $3, $4) }
    return UnsafeMutableRawPointer(vfs).withMemoryRebound(to: sqlite3_vfs.self, capacity: 1) {
      sqlite3_vfs_register($0, 1) == SQLITE_OK
    }
  }

  /// SQLite reads the first part; the inner one's own functions find there what they had put into theirs.
  private struct LogVFSHead {
    var base: sqlite3_vfs
    let inner: UnsafeMutablePointer<sqlite3_vfs>
  }

  private static func open(
    _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ file: LogFile.Pointer?,
    _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    guard let vfs, let file else { return SQLITE_MISUSE }
    let inner = UnsafeRawPointer(vfs).assumingMemoryBound(to: LogVFSHead.self).pointee.inner
    guard flags & SQLITE_OPEN_WAL != 0 else { return inner.pointee.xOpen(inner, path, file, flags, outFlags) }
    // SQLite closes no file that has no methods.
    file.pointee.pMethods = nil
    let result = inner.pointee.xOpen(inner, path, LogFile.inner(file), flags, outFlags)
    if result == SQLITE_OK { LogFile.attach(file) }
    return result
  }
}
