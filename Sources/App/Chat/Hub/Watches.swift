import Synchronization

/// The devices that somebody watches: the writer asks, so that it gathers news of no other.
final class WatchedDevices: Sendable {
  private let counts = Mutex<[Int64: Int]>([:])
  private let isEmpty = Atomic(true)

  func contains(_ device: Int64) -> Bool {
    if isEmpty.load(ordering: .relaxed) { return false }
    return counts.withLock { $0[device] != nil }
  }

  func add(_ device: Int64) {
    counts.withLock { $0[device, default: 0] += 1 }
    isEmpty.store(false, ordering: .relaxed)
  }

  func remove(_ device: Int64) {
    counts.withLock { counts in
      if let count = counts[device] { counts[device] = count > 1 ? count - 1 : nil }
      isEmpty.store(counts.isEmpty, ordering: .relaxed)
    }
  }
}
