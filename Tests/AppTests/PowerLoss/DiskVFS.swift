import GRDBSQLite
import Glibc
import Synchronization

@testable import App

/// SQLite's own VFS, with a `Disk` between it and what lies in a disk's directory. All other files are as before, so the tests
/// beside those of the power cut notice nothing of it.
enum DiskVFS {
  private static let disks = Mutex<[String: Disk]>([:])

  static func mount(_ disk: Disk) {
    _ = registration
    disks.withLock { $0[disk.directory] = disk }
  }

  static func unmount(_ disk: Disk) { disks.withLock { $0[disk.directory] = nil } }

  /// The disk of a path's directory, and the name there.
  fileprivate static func find(_ path: UnsafePointer<CChar>?) -> (disk: Disk, name: String)? {
    guard let path else { return nil }
    let text = String(cString: path)
    guard let slash = text.lastIndex(of: "/"), let disk = disks.withLock({ $0[String(text[..<slash])] })
    else {
      return nil
    }
    return (disk, String(text[text.index(after: slash)...]))
  }

  /// Below the product's own, as the disk is: nothing in the product has to know of it.
  private static let registration: Void = {
    let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    vfs.initialize(to: DiskVFS.original.pointer.pointee)
    vfs.pointee.pNext = nil
    vfs.pointee.zName = UnsafePointer(strdup("disk"))
    vfs.pointee.szOsFile += Int32(DiskFile.headSize)
    vfs.pointee.xOpen = { _, path, file, flags, outFlags in open(path, file, flags, outFlags) }
    vfs.pointee.xDelete = { _, path, syncsDirectory in delete(path, syncsDirectory) }
    precondition(sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
    precondition(LogVFS.isDefault && LogVFS.register(over: vfs, name: "log over disk"))
  }()

  private struct Original: @unchecked Sendable { let pointer: UnsafeMutablePointer<sqlite3_vfs> }
  private static let original = Original(pointer: sqlite3_vfs_find("unix"))

  private static func open(
    _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
    _ outFlags: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    let vfs = original.pointer
    guard let file, let path, let (disk, name) = find(path) else {
      return vfs.pointee.xOpen(vfs, path, file, flags, outFlags)
    }
    // SQLite closes no file that has no methods.
    file.pointee.pMethods = nil
    if let code = disk.fault(.open) { return code }
    let isNew = access(path, F_OK) != 0
    let result = vfs.pointee.xOpen(vfs, path, DiskFile.inner(file), flags, outFlags)
    guard result == SQLITE_OK else { return result }
    DiskFile.attach(file, to: disk, number: disk.opened(name, isNew: isNew, flags: flags))
    return SQLITE_OK
  }

  private static func delete(_ path: UnsafePointer<CChar>?, _ syncsDirectory: Int32) -> Int32 {
    let vfs = original.pointer
    let result = vfs.pointee.xDelete(vfs, path, syncsDirectory)
    if result == SQLITE_OK, let (disk, name) = find(path) {
      disk.deleted(name, syncsDirectory: syncsDirectory != 0)
    }
    return result
  }
}
