import Synchronization

@testable import App

/// A life of a store, and what its disk did meanwhile.
struct RecordedLife {
  /// What was acknowledged when the disk had done so many operations.
  private struct Moment {
    let operations: Int
    let contents: StoreContents
    let messages: [StoreLife.Message]
  }

  struct Sweep {
    var cuts = 0
    /// Those that have left something else than the one before.
    var examined = 0
    var complaints: [String] = []
  }

  private let seed: UInt64
  private let log: [Disk.Operation]
  private let moments: [Moment]
  private static let steps = 90

  init(seed: UInt64, synchronous: String = "FULL") throws {
    self.seed = seed
    let directory = try TemporaryDirectory()
    let disk = try Disk(directory: directory.path)
    defer { disk.unmount() }
    let acknowledged = Mutex(0)
    let life = try StoreLife(in: directory.path, seed: seed) {
      acknowledged.withLock { $0 = disk.operationCount }
    }
    try life.store.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = \(synchronous)") }
    var moments: [Moment] = []
    func note(_ operations: Int) throws {
      moments.append(
        Moment(operations: operations, contents: try StoreContents(life.store), messages: life.messages))
    }
    try note(disk.operationCount)
    try life.settle()
    try note(disk.operationCount)
    for _ in 0..<Self.steps {
      life.step()
      try note(acknowledged.withLock { $0 })
    }
    self.moments = moments
    log = disk.log
  }

  func cut(fate: DiskImage.Fate, mostComplaints: Int = 1) throws -> Sweep {
    var sweep = Sweep()
    var image = DiskImage()
    var random = SeededGenerator(seed: seed &* 1000 &+ fate.rawValue)
    var moment = -1
    var examined: (remains: [String: [UInt8]], moment: Int)?
    for (index, operation) in log.enumerated() {
      image.apply(operation)
      while moment + 1 < moments.count, moments[moment + 1].operations <= index + 1 { moment += 1 }
      sweep.cuts += 1
      let remains = image.remains(fate, using: &random)
      if let examined, examined.moment == moment, examined.remains == remains { continue }
      examined = (remains, moment)
      sweep.examined += 1
      let faults = try examine(remains, after: moment)
      if !faults.isEmpty {
        sweep.complaints.append("cut behind operation \(index): " + faults.joined(separator: "; "))
      }
      if sweep.complaints.count >= mostComplaints { break }
    }
    return sweep
  }

  /// Opens a store on what was left, and returns what is wrong with it.
  private func examine(_ remains: [String: [UInt8]], after moment: Int) throws -> [String] {
    let directory = try TemporaryDirectory()
    let disk = try Disk(directory: directory.path, holding: remains)
    defer { disk.unmount() }
    let store: Store
    do { store = try Store(directory: directory.path, for: .command) } catch { return ["\(error)"] }
    defer { try? store.close() }
    let comparison = StoreComparison(store: store)
    var faults = try comparison.faults()
    guard moment >= 0 else { return faults }
    let known = moments[moment]
    faults += try comparison.lost(known.messages)
    // All that was acknowledged, or with it all of the transaction that was under way: nothing between.
    let contents = try StoreContents(store)
    let next = moments[min(moment + 1, moments.count - 1)]
    if contents != known.contents && contents != next.contents {
      let tables = contents.difference(from: known.contents)
      faults.append("it is between two transactions: \(tables.joined(separator: ", "))")
    }
    if known.messages.isEmpty { return faults }
    faults += try comparison.answeredOtherwise(known.messages.suffix(6))
    return faults
  }
}
