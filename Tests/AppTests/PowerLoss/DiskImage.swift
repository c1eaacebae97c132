/// What a power cut leaves of a disk. Fed with the operations up to the cut, it knows which of them had been synced.
struct DiskImage {
  /// What becomes of what was written and not synced.
  enum Fate: UInt64, CaseIterable {
    /// Nothing of it is there.
    case dropped
    /// All of it is there.
    case kept
    /// Some writes are there and some not, as chance has it.
    case scattered
    /// The same of each sector of a write.
    case torn
  }

  static let sector = 512

  private struct File {
    var synced: [UInt8] = []
    var unsynced: [Change] = []
  }

  private enum Change {
    case write(at: Int, [UInt8])
    case truncate(to: Int)
  }

  private enum NameChange {
    case create(String, file: Int)
    case delete(String)
  }

  private var files: [Int: File] = [:]
  private var names: [String: Int] = [:]
  private var unsyncedNames: [NameChange] = []

  mutating func apply(_ operation: Disk.Operation) {
    switch operation {
    case .create(let name, let file):
      files[file] = File()
      unsyncedNames.append(.create(name, file: file))
    case .delete(let name, let syncsDirectory):
      unsyncedNames.append(.delete(name))
      if syncsDirectory { syncNames() }
    case .write(let file, let offset, let bytes):
      files[file]?.unsynced.append(.write(at: offset, bytes))
    case .truncate(let file, let size): files[file]?.unsynced.append(.truncate(to: size))
    case .sync(let file, let syncsDirectory):
      for change in files[file]?.unsynced ?? [] { Self.make(change, in: &files[file]!.synced) }
      files[file]?.unsynced = []
      if syncsDirectory { syncNames() }
    case .failedSync(let file): files[file]?.unsynced = []
    }
  }

  private mutating func syncNames() {
    for change in unsyncedNames { Self.make(change, in: &names) }
    unsyncedNames = []
  }

  /// The files, by their names.
  func remains(_ fate: Fate, using random: inout SeededGenerator) -> [String: [UInt8]] {
    var names = names
    // A file system keeps the order of names in its own journal: what is there of them is a beginning.
    let count =
      switch fate {
      case .dropped: 0
      case .kept: unsyncedNames.count
      case .scattered, .torn: Int.random(in: 0...unsyncedNames.count, using: &random)
      }
    for change in unsyncedNames.prefix(count) { Self.make(change, in: &names) }
    return names.mapValues { file in
      var bytes = files[file]!.synced
      for change in files[file]!.unsynced { Self.make(change, fate, in: &bytes, using: &random) }
      return bytes
    }
  }

  /// The files as they are on disk, without all that was not synced.
  var settledFiles: [String: [UInt8]] { names.mapValues { files[$0]!.synced } }

  private static func make(
    _ change: Change, _ fate: Fate, in bytes: inout [UInt8], using random: inout SeededGenerator
  ) {
    switch (fate, change) {
    case (.dropped, _): break
    case (.kept, _): make(change, in: &bytes)
    case (.torn, .write(let offset, let written)):
      var start = 0
      while start < written.count {
        let end = min(written.count, ((offset + start) / sector + 1) * sector - offset)
        if Bool.random(using: &random) {
          make(.write(at: offset + start, Array(written[start..<end])), in: &bytes)
        }
        start = end
      }
    case (.torn, .truncate), (.scattered, _): if Bool.random(using: &random) { make(change, in: &bytes) }
    }
  }

  private static func make(_ change: Change, in bytes: inout [UInt8]) {
    switch change {
    case .truncate(let size):
      if size < bytes.count { bytes.removeLast(bytes.count - size) } else { extend(&bytes, to: size) }
    case .write(let offset, let written):
      extend(&bytes, to: offset + written.count)
      bytes.replaceSubrange(offset..<offset + written.count, with: written)
    }
  }

  private static func extend(_ bytes: inout [UInt8], to size: Int) {
    if size > bytes.count { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
  }

  private static func make(_ change: NameChange, in names: inout [String: Int]) {
    switch change {
    case .create(let name, let file): names[name] = file
    case .delete(let name): names[name] = nil
    }
  }
}
