import Glibc
import Synchronization

/// A thread that runs closures one after another, for work that may block: SQL reads, hashing, files.
///
/// The queue is bounded. A closure that does not find room is refused, and its caller answers `busy`.
public final class WorkerQueue: Sendable {
  public typealias Job = @Sendable () -> Void

  private let thread: WorkerThread<Job>

  /// - Parameters:
  ///   - name: the thread's name, at most 15 bytes (Linux cuts it there).
  ///   - limit: the jobs that may wait.
  public init(name: String, limit: Int = 4096, mode: WorkerMode = .thread) {
    thread = WorkerThread(name: name, limit: limit, mode: mode) { jobs in
      for job in jobs { job() }
    }
  }

  /// Hands a job to the thread; false if the queue is full or has been closed.
  public func submit(_ job: @escaping Job) -> Bool { thread.submit(job) }

  /// Runs a closure on the thread and returns its result to the awaiting task, on that task's own executor.
  /// - Throws: `WorkerQueueFull` if there is no room; else what the closure throws.
  public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      let taken = submit { continuation.resume(with: Result { try work() }) }
      if !taken { continuation.resume(throwing: WorkerQueueFull()) }
    }
  }

  /// Runs the oldest jobs that wait, on the caller's thread; false if there are none. Only `byHand`.
  @discardableResult
  public func work(most: Int = .max) -> Bool { thread.work(most: most) }

  /// The jobs that wait.
  public var waiting: Int { thread.waiting }

  /// Takes no more jobs, runs those that wait, and returns when the thread has ended.
  public func close() { thread.close() }
}

/// The queue has as many jobs waiting as it may.
public struct WorkerQueueFull: Error {
  public init() {}
}
