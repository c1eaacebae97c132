import GRDBSQLite

/// An open file of a `Disk`: SQLite's own file lies behind a head of ours in the same memory, and does the work.
struct DiskFile {
  /// SQLite reads this one.
  private var base: sqlite3_file
  private var disk: Unmanaged<Disk>
  private var number: Int

  typealias Pointer = UnsafeMutablePointer<sqlite3_file>

  /// SQLite's file behind it stays aligned as `malloc` does it.
  static let headSize = (MemoryLayout<DiskFile>.size + 15) / 16 * 16

  static func inner(_ file: Pointer) -> Pointer {
    UnsafeMutableRawPointer(file).advanced(by: headSize).assumingMemoryBound(to: sqlite3_file.self)
  }

  static func attach(_ file: Pointer, to disk: Disk, number: Int) {
    UnsafeMutableRawPointer(file).bindMemory(to: DiskFile.self, capacity: 1).initialize(
      to: DiskFile(
        base: sqlite3_file(pMethods: methods.pointer), disk: .passRetained(disk), number: number))
  }

  private static func head(_ file: Pointer?) -> UnsafeMutablePointer<DiskFile> {
    UnsafeMutableRawPointer(file!).assumingMemoryBound(to: DiskFile.self)
  }

  // MARK: What is noticed

  private static func close(_ file: Pointer?) -> Int32 {
    let result = call(file) { $0.xClose($1) }
    head(file).pointee.disk.release()
    return result
  }

  private static func read(_ file: Pointer?, _ into: UnsafeMutableRawPointer?, _ count: Int32, _ at: Int64)
    -> Int32
  {
    head(file).pointee.disk.takeUnretainedValue().fault(.read) ?? call(file) { $0.xRead($1, into, count, at) }
  }

  private static func write(_ file: Pointer?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64)
    -> Int32
  {
    let head = head(file).pointee
    let disk = head.disk.takeUnretainedValue()
    let fault = disk.fault(.write)
    // A write that fails has done a part of it, which may be nothing.
    let length = fault == nil ? count : count / 2
    if length > 0 {
      let result = call(file) { $0.xWrite($1, bytes, length, offset) }
      guard result == SQLITE_OK else { return result }
      disk.note(
        .write(
          file: head.number, at: Int(offset),
          Array(UnsafeRawBufferPointer(start: bytes, count: Int(length)))))
    }
    return fault ?? SQLITE_OK
  }

  private static func truncate(_ file: Pointer?, _ size: Int64) -> Int32 {
    let head = head(file).pointee
    let disk = head.disk.takeUnretainedValue()
    if let fault = disk.fault(.truncate) { return fault }
    disk.note(.truncate(file: head.number, to: Int(size)))
    return call(file) { $0.xTruncate($1, size) }
  }

  private static func sync(_ file: Pointer?, _ flags: Int32) -> Int32 {
    let head = head(file).pointee
    let disk = head.disk.takeUnretainedValue()
    if let fault = disk.fault(.sync) {
      disk.note(.failedSync(file: head.number))
      return fault
    }
    // The machine's own disk has no part in this, and waiting for it would take most of the time.
    disk.synced(head.number)
    return SQLITE_OK
  }

  // MARK: The table of methods

  private static func call(_ file: Pointer?, _ body: (sqlite3_io_methods, Pointer) -> Int32) -> Int32 {
    let inner = inner(file!)
    return body(inner.pointee.pMethods.pointee, inner)
  }

  private struct Methods: @unchecked Sendable { let pointer: UnsafeMutablePointer<sqlite3_io_methods> }

  /// Version 2: without memory-mapped reads and writes, which no VFS could notice.
  private static let methods: Methods = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: sqlite3_io_methods())
    methods.pointee.iVersion = 2
    methods.pointee.xClose = { close($0) }
    methods.pointee.xRead = { read($0, $1, $2, $3) }
    methods.pointee.xWrite = { write($0, $1, $2, $3) }
    methods.pointee.xTruncate = { truncate($0, $1) }
    methods.pointee.xSync = { sync($0, $1) }
    methods.pointee.xFileSize = { file, size in call(file) { $0.xFileSize($1, size) } }
    methods.pointee.xLock = { file, level in call(file) { $0.xLock($1, level) } }
    methods.pointee.xUnlock = { file, level in call(file) { $0.xUnlock($1, level) } }
    methods.pointee.xCheckReservedLock = { file, result in call(file) { $0.xCheckReservedLock($1, result) } }
    methods.pointee.xFileControl = { file, code, value in call(file) { $0.xFileControl($1, code, value) } }
    methods.pointee.xSectorSize = { file in call(file) { $0.xSectorSize($1) } }
    methods.pointee.xDeviceCharacteristics = { file in call(file) { $0.xDeviceCharacteristics($1) } }
    methods.pointee.xShmMap = { file, page, size, extends, memory in
      call(file) { $0.xShmMap($1, page, size, extends, memory) }
    }
    methods.pointee.xShmLock = { file, at, count, flags in call(file) { $0.xShmLock($1, at, count, flags) } }
    methods.pointee.xShmBarrier = { file in
      let inner = inner(file!)
      inner.pointee.pMethods.pointee.xShmBarrier(inner)
    }
    methods.pointee.xShmUnmap = { file, deletes in call(file) { $0.xShmUnmap($1, deletes) } }
    return Methods(pointer: methods)
  }()
}
