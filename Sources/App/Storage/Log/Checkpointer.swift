import Logging
import Reactor
import Synchronization

/// Copies the write-ahead log back into the database file on a thread and a connection of its own: it takes some tenths
/// of a second, which no commit should wait for.
///
/// SQLite begins the log anew in a commit that finds all of it copied, and under steady writing there is always a bit
/// more. So the writer, between two of its transactions, copies the last bit itself.
///
///     idle ── the log is long ──▶ copying ── little is left ──▶ copied ── the writer copies that ──▶ idle
final class Checkpointer: Sendable {
  private enum State: UInt8, AtomicRepresentable { case idle, copying, copied }

  /// From how many pages on the log is copied. 32 MiB, since a page that many commits touched is copied once.
  static let longLog = 8000

  /// What is left to the writer, in pages: a few milliseconds.
  private static let little = 500
  /// The log can grow faster than it is copied, for a while.
  private static let passes = 5

  private let store: Store
  private let longLog: Int
  private let state: Shared
  private let thread: WorkerThread<Void>

  init(store: Store, longLog: Int = Checkpointer.longLog, mode: WorkerMode = .thread) {
    let state = Shared()
    self.store = store
    self.longLog = longLog
    self.state = state
    thread = WorkerThread(name: "checkpointer", limit: 1, mode: mode) { _ in
      var left = Int.max
      for _ in 0..<Self.passes where left > Self.little {
        left = Self.attempt { store.logPages - (try store.checkpointBeside()) } ?? 0
      }
      state.value.store(.copied, ordering: .relaxed)
    }
  }

  /// On the writer's thread, after each commit.
  func tend() {
    switch state.value.load(ordering: .relaxed) {
    case .idle where store.logPages >= longLog:
      state.value.store(.copying, ordering: .relaxed)
      _ = thread.submit(())
    case .copied:
      Self.attempt { try store.checkpoint() }
      state.value.store(.idle, ordering: .relaxed)
    default: break
    }
  }

  /// Only `byHand`.
  func work() -> Bool { thread.work() }

  func close() { thread.close() }

  @discardableResult
  private static func attempt<T>(_ body: () throws -> T) -> T? {
    do { return try body() } catch {
      Logger(label: "wattloop.checkpointer").error(
        "the write-ahead log could not be copied back", metadata: ["error": "\(error)"])
      return nil
    }
  }

  private final class Shared: Sendable {
    let value = Atomic(State.idle)
  }
}
