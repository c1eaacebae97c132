import Foundation
import GRDBSQLite
import Synchronization

/// A directory's disk as SQLite sees it: what was written, and what was synced of that. Calls can be made to fail.
///
/// The files themselves are real ones, so that locks and the shared memory of the log's index are SQLite's own.
final class Disk: Sendable {
  enum Operation: Sendable {
    /// A file came to be, under a name.
    case create(String, file: Int)
    case delete(String, syncsDirectory: Bool)
    case write(file: Int, at: Int, [UInt8])
    case truncate(file: Int, to: Int)
    /// `syncsDirectory`: SQLite syncs the directory with the first sync of a journal or a log that it has made.
    case sync(file: Int, syncsDirectory: Bool)
    /// The kernel could not write, has said so once, and takes what it held for written (Linux, since 4.13).
    case failedSync(file: Int)
  }

  enum Call: String, CaseIterable, Sendable {
    case open, read, write, sync, truncate
  }

  /// The calls of one kind that fail: `count` of them, behind the first `after`.
  struct Fault: Sendable {
    let call: Call
    let after: Int
    var count = 1
    /// SQLite's result code.
    let code: Int32

    func hits(_ number: Int) -> Bool { number >= after && number - after < count }
  }

  private struct State {
    var log: [Operation] = []
    var files: [String: Int] = [:]
    var fileCount = 0
    /// Files whose names are on disk when they are synced next.
    var unsyncedNames: Set<Int> = []
    var calls: [Call: Int] = [:]
    var faults: [Fault] = []
    var hits = 0
  }

  let directory: String
  private let state = Mutex(State())

  /// - Parameter files: what is there already, and on disk.
  init(directory: String, holding files: [String: [UInt8]] = [:]) throws {
    self.directory = directory
    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
      try Data(bytes).write(to: URL(filePath: directory + "/" + name))
      let file = opened(name, isNew: true, flags: SQLITE_OPEN_WAL)
      note(.write(file: file, at: 0, bytes))
      synced(file)
    }
    DiskVFS.mount(self)
  }

  /// Calls behind this one are not noticed any more.
  func unmount() { DiskVFS.unmount(self) }

  /// What has been done, in order.
  var log: [Operation] { state.withLock { $0.log } }
  var operationCount: Int { state.withLock { $0.log.count } }

  /// How often each call was made since `fail`.
  var calls: [Call: Int] { state.withLock { $0.calls } }

  /// Counts calls anew, and lets some fail.
  func fail(_ faults: [Fault]) {
    state.withLock {
      $0.calls = [:]
      $0.faults = faults
      $0.hits = 0
    }
  }

  /// The calls that have failed.
  var hits: Int { state.withLock { $0.hits } }

  // MARK: For the VFS

  /// The result code of a call that fails; nil if it is to be made.
  func fault(_ call: Call) -> Int32? {
    state.withLock { state in
      let number = state.calls[call, default: 0]
      state.calls[call] = number + 1
      guard let fault = state.faults.first(where: { $0.call == call && $0.hits(number) }) else { return nil }
      state.hits += 1
      return fault.code
    }
  }

  /// A file was opened, which `isNew` if it was not there. Returns its number.
  func opened(_ name: String, isNew: Bool, flags: Int32) -> Int {
    state.withLock { state in
      if !isNew, let file = state.files[name] { return file }
      state.fileCount += 1
      let file = state.fileCount
      state.files[name] = file
      state.log.append(.create(name, file: file))
      if flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL) != 0 { state.unsyncedNames.insert(file) }
      return file
    }
  }

  func deleted(_ name: String, syncsDirectory: Bool) {
    state.withLock { state in
      guard state.files.removeValue(forKey: name) != nil else { return }
      state.log.append(.delete(name, syncsDirectory: syncsDirectory))
    }
  }

  func synced(_ file: Int) {
    state.withLock { state in
      let syncsDirectory = state.unsyncedNames.remove(file) != nil
      state.log.append(.sync(file: file, syncsDirectory: syncsDirectory))
    }
  }

  func note(_ operation: Operation) { state.withLock { $0.log.append(operation) } }
}
