import GRDBSQLite

/// An open write-ahead log (https://sqlite.org/fileformat2.html#walformat): SQLite's own file lies behind a head of ours in the
/// same memory, and does the work.
///
/// A transaction appends frames, each a head of 24 bytes and a page. They gather until there are 64 KiB, or until the page of
/// the last one: the head of that alone names the size of the database. So what is held here is always of a transaction that
/// is not committed, and nobody looks for it but who writes it, through this very file: every other call writes it first.
/// When the write of a transaction's last page returns, all of it is with the kernel, as it is without us, whatever
/// `synchronous` says.
struct LogFile {
  /// SQLite reads this one.
  private var base: sqlite3_file
  private let bytes: UnsafeMutableRawPointer
  private var count = 0
  /// Where the first byte that is held belongs.
  private var start: Int64 = 0
  private var state = State.betweenFrames

  private enum State {
    case betweenFrames
    /// A frame's head is held, and its page belongs there.
    case insideFrame(page: Int64, isLast: Bool)
    /// A head that comes now is not held: when SQLite computes checksums anew, it reads each frame and writes its head, and no
    /// page follows.
    case readLast
  }

  typealias Pointer = UnsafeMutablePointer<sqlite3_file>

  /// SQLite's file behind it stays aligned as `malloc` does it.
  static let headSize = (MemoryLayout<LogFile>.size + 15) / 16 * 16

  private static let capacity = 64 * 1024
  private static let frameHead = 24

  static func inner(_ file: Pointer) -> Pointer {
    UnsafeMutableRawPointer(file).advanced(by: headSize).assumingMemoryBound(to: sqlite3_file.self)
  }

  /// - Parameter file: whose `inner` one is open.
  static func attach(_ file: Pointer) {
    UnsafeMutableRawPointer(file).bindMemory(to: LogFile.self, capacity: 1).initialize(
      to: LogFile(
        base: sqlite3_file(pMethods: methods.pointer),
        bytes: .allocate(byteCount: capacity, alignment: 16)))
  }

  private static func head(_ file: Pointer?) -> UnsafeMutablePointer<LogFile> {
    UnsafeMutableRawPointer(file!).assumingMemoryBound(to: LogFile.self)
  }

  // MARK: Writing

  private static func write(
    _ file: Pointer?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64
  ) -> Int32 {
    guard let bytes else { return SQLITE_MISUSE }
    let head = head(file)
    let count = Int(count)
    switch head.pointee.state {
    case .betweenFrames where count == frameHead:
      let databaseSize = UnsafeRawBufferPointer(start: bytes + 4, count: 4)
      head.pointee.state = .insideFrame(
        page: offset + Int64(count), isLast: databaseSize.contains { $0 != 0 })
      return hold(file, bytes, count, offset)
    case .insideFrame(page: offset, let isLast) where count <= capacity:
      head.pointee.state = .betweenFrames
      let result = hold(file, bytes, count, offset)
      return result == SQLITE_OK && isLast ? flush(file) : result
    case .readLast where count == frameHead: break
    case .betweenFrames, .insideFrame, .readLast: head.pointee.state = .betweenFrames
    }
    let result = flush(file)
    return result == SQLITE_OK ? call(file) { $0.xWrite($1, bytes, Int32(count), offset) } : result
  }

  private static func hold(
    _ file: Pointer?, _ bytes: UnsafeRawPointer, _ count: Int, _ offset: Int64
  ) -> Int32 {
    let head = head(file)
    if offset != head.pointee.start + Int64(head.pointee.count) || head.pointee.count + count > capacity {
      let result = flush(file)
      guard result == SQLITE_OK else { return result }
    }
    if head.pointee.count == 0 { head.pointee.start = offset }
    (head.pointee.bytes + head.pointee.count).copyMemory(from: bytes, byteCount: count)
    head.pointee.count += count
    return SQLITE_OK
  }

  /// Writes what is held. If that fails it is held no more: SQLite rolls its transaction back.
  private static func flush(_ file: Pointer?) -> Int32 {
    let head = head(file)
    let count = head.pointee.count
    if count == 0 { return SQLITE_OK }
    head.pointee.count = 0
    return call(file) { $0.xWrite($1, head.pointee.bytes, Int32(count), head.pointee.start) }
  }

  // MARK: All else

  private static func close(_ file: Pointer?) -> Int32 {
    let flushed = flush(file)
    let closed = call(file) { $0.xClose($1) }
    head(file).pointee.bytes.deallocate()
    return closed == SQLITE_OK ? flushed : closed
  }

  private static func read(
    _ file: Pointer?, _ into: UnsafeMutableRawPointer?, _ count: Int32, _ offset: Int64
  ) -> Int32 {
    let result = flushed(file) { $0.xRead($1, into, count, offset) }
    head(file).pointee.state = .readLast
    return result
  }

  /// Makes a call when all that is held has been written.
  private static func flushed(_ file: Pointer?, _ body: (sqlite3_io_methods, Pointer) -> Int32) -> Int32 {
    let result = flush(file)
    return result == SQLITE_OK ? call(file, body) : result
  }

  private static func call(_ file: Pointer?, _ body: (sqlite3_io_methods, Pointer) -> Int32) -> Int32 {
    let inner = inner(file!)
    return body(inner.pointee.pMethods.pointee, inner)
  }

  private struct Methods: @unchecked Sendable { let pointer: UnsafeMutablePointer<sqlite3_io_methods> }

  /// Version 1: a log is never mapped into memory, and shared memory belongs to the database's file.
  private static let methods: Methods = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: sqlite3_io_methods())
    methods.pointee.iVersion = 1
    methods.pointee.xClose = { close($0) }
    methods.pointee.xRead = { read($0, $1, $2, $3) }
    methods.pointee.xWrite = { write($0, $1, $2, $3) }
    methods.pointee.xTruncate = { file, size in flushed(file) { $0.xTruncate($1, size) } }
    methods.pointee.xSync = { file, flags in flushed(file) { $0.xSync($1, flags) } }
    methods.pointee.xFileSize = { file, size in flushed(file) { $0.xFileSize($1, size) } }
    methods.pointee.xLock = { file, level in flushed(file) { $0.xLock($1, level) } }
    methods.pointee.xUnlock = { file, level in flushed(file) { $0.xUnlock($1, level) } }
    methods.pointee.xCheckReservedLock = { file, result in
      flushed(file) { $0.xCheckReservedLock($1, result) }
    }
    methods.pointee.xFileControl = { file, code, value in flushed(file) { $0.xFileControl($1, code, value) } }
    methods.pointee.xSectorSize = { file in call(file) { $0.xSectorSize($1) } }
    methods.pointee.xDeviceCharacteristics = { file in call(file) { $0.xDeviceCharacteristics($1) } }
    return Methods(pointer: methods)
  }()
}
