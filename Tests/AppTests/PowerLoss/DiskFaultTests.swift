import GRDB
import GRDBSQLite
import Testing

@testable import App

@Suite struct `A disk that fails` {
  struct Kind: CustomStringConvertible, Sendable {
    let call: Disk.Call
    let code: Int32
    var description: String { "\(call) \(code)" }
  }

  static let kinds = [
    Kind(call: .write, code: SQLITE_IOERR | 3 << 8), Kind(call: .write, code: SQLITE_FULL),
    Kind(call: .sync, code: SQLITE_IOERR | 4 << 8), Kind(call: .read, code: SQLITE_IOERR | 1 << 8),
    Kind(call: .truncate, code: SQLITE_IOERR | 6 << 8), Kind(call: .open, code: SQLITE_CANTOPEN),
  ]

  private static let steps = 12

  /// Each call of a server's life in its turn, once or some times in a row. What could not be written is answered so; what was
  /// acknowledged is there while the server goes on, and after a power cut.
  @Test(arguments: kinds.filter { ![.open, .truncate].contains($0.call) })
  func `takes back nothing that was acknowledged, and the writer goes on`(_ kind: Kind) throws {
    let settled = try Self.settledFiles()
    var (number, failedSteps) = (0, 0)
    while true {
      let directory = try TemporaryDirectory()
      let disk = try Disk(directory: directory.path, holding: settled)
      defer { disk.unmount() }
      let life = try StoreLife(in: directory.path, seed: 7 + UInt64(number % 3))
      disk.fail([.init(call: kind.call, after: number, count: number % 4 == 3 ? 5 : 1, code: kind.code)])
      for _ in 0..<Self.steps { life.step() }
      if disk.hits == 0 { break }
      disk.fail([])
      failedSteps += life.failedSteps
      let context = "\(kind), behind \(number)"
      #expect(life.calmDown(), "\(context): the writer did not recover")
      #expect(try complaints(of: life.store, life.messages) == [], "\(context)")
      #expect(try complaintsAfterCut(disk, life.messages) == [], "\(context), after a power cut")
      number += 1
    }
    #expect(number > 0 && failedSteps > 0, "\(kind): \(number) places")
  }

  /// Each call of a first start. It says that it cannot, or it can; and the next one can.
  @Test(arguments: kinds)
  func `keeps no later start from opening the store`(_ kind: Kind) throws {
    var (number, refused) = (0, 0)
    while true {
      let directory = try TemporaryDirectory()
      let disk = try Disk(directory: directory.path)
      defer { disk.unmount() }
      disk.fail([.init(call: kind.call, after: number, code: kind.code)])
      do { try Store(directory: directory.path, for: .serving).close() } catch { refused += 1 }
      if disk.hits == 0 { break }
      disk.fail([])
      let store = try Store(directory: directory.path, for: .serving)
      #expect(try complaints(of: store, []) == [], "\(kind), behind \(number)")
      try store.close()
      #expect(try complaintsAfterCut(disk, []) == [], "\(kind), behind \(number), after a power cut")
      number += 1
    }
    // A journal that cannot be cut short is only longer.
    #expect(number > 0 && (refused > 0 || kind.call == .truncate), "\(kind): \(number) places")
  }

  /// The files of a store with people and groups in it that was closed in good order, so that the next start begins a log.
  private static func settledFiles() throws -> [String: [UInt8]] {
    let directory = try TemporaryDirectory()
    let disk = try Disk(directory: directory.path)
    defer { disk.unmount() }
    try StoreLife(in: directory.path, seed: 1).settle()
    return image(disk).settledFiles.filter { $0.key == "wattloop.sqlite" }
  }

  private static func image(_ disk: Disk) -> DiskImage {
    var image = DiskImage()
    for operation in disk.log { image.apply(operation) }
    return image
  }

  private func complaints(of store: Store, _ messages: [StoreLife.Message]) throws -> [String] {
    let comparison = StoreComparison(store: store)
    return try comparison.faults() + comparison.lost(messages) + comparison.changed(messages)
  }

  private func complaintsAfterCut(_ disk: Disk, _ messages: [StoreLife.Message]) throws -> [String] {
    let directory = try TemporaryDirectory()
    let found = try Disk(directory: directory.path, holding: Self.image(disk).settledFiles)
    defer { found.unmount() }
    let store = try Store(directory: directory.path, for: .command)
    defer { try? store.close() }
    return try complaints(of: store, messages)
      + StoreComparison(store: store).answeredOtherwise(messages.filter { $0.place != nil })
  }
}
