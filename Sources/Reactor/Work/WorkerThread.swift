import CLinux
import Glibc

/// A thread that takes all the jobs it finds, handles them as one batch, and sleeps when there are none.
///
/// "All it finds" is what makes batches size themselves: what queued while the last batch ran is the next batch.
public final class WorkerThread<Job: Sendable>: Sendable {
  private let shared: Shared
  /// nil where a thread has it.
  private let handleByHand: (@Sendable ([Job]) -> Void)?

  /// Everything that both sides touch, under one mutex.
  private final class Shared: @unchecked Sendable {
    private var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Job] = []
    private var closed = false
    private var ended = false
    private let limit: Int

    init(limit: Int) {
      self.limit = limit
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(changed, nil)
    }

    deinit {
      pthread_mutex_destroy(mutex)
      pthread_cond_destroy(changed)
      mutex.deallocate()
      changed.deallocate()
    }

    private func locked<T>(_ body: () -> T) -> T {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      return body()
    }

    func submit(_ job: Job) -> Bool {
      locked {
        guard !closed, jobs.count < limit else { return false }
        jobs.append(job)
        if jobs.count == 1 { pthread_cond_broadcast(changed) }
        return true
      }
    }

    /// Swaps all waiting jobs into the (emptied) batch; false when closed and empty.
    func takeAll(into batch: inout [Job]) -> Bool {
      locked {
        while jobs.isEmpty && !closed { pthread_cond_wait(changed, mutex) }
        swap(&jobs, &batch)
        return !batch.isEmpty
      }
    }

    /// The oldest jobs that wait, without waiting for one.
    func takeNow(most: Int) -> [Job] {
      locked {
        let taken = Array(jobs.prefix(most))
        jobs.removeFirst(taken.count)
        return taken
      }
    }

    var waiting: Int { locked { jobs.count } }

    func close() {
      locked {
        closed = true
        pthread_cond_broadcast(changed)
        while !ended { pthread_cond_wait(changed, mutex) }
      }
    }

    func end() {
      locked {
        ended = true
        pthread_cond_broadcast(changed)
      }
    }
  }

  /// - Parameters:
  ///   - name: the thread's name, at most 15 bytes (Linux cuts it there).
  ///   - limit: the jobs that may wait.
  ///   - handle: is given each batch, in order, on the thread.
  public init(
    name: String, limit: Int, mode: WorkerMode = .thread, handle: @escaping @Sendable ([Job]) -> Void
  ) {
    let shared = Shared(limit: limit)
    self.shared = shared
    handleByHand = mode == .byHand ? handle : nil
    guard mode == .thread else { return }
    startThread(name: name) {
      var batch: [Job] = []
      while shared.takeAll(into: &batch) {
        handle(batch)
        batch.removeAll(keepingCapacity: true)
      }
      shared.end()
    }
  }

  /// Hands a job to the thread; false if the queue is full or has been closed.
  public func submit(_ job: Job) -> Bool { shared.submit(job) }

  /// Handles the oldest jobs that wait as one batch, on the caller's thread; false if there are none. Only `byHand`.
  @discardableResult
  public func work(most: Int = .max) -> Bool {
    guard let handle = handleByHand else { preconditionFailure("the worker has a thread of its own") }
    let batch = shared.takeNow(most: most)
    if !batch.isEmpty { handle(batch) }
    return !batch.isEmpty
  }

  /// The jobs that wait.
  public var waiting: Int { shared.waiting }

  /// Takes no more jobs, handles those that wait, and returns when the thread has ended.
  public func close() {
    if handleByHand != nil {
      work()
      shared.end()
    }
    shared.close()
  }
}

/// Where a worker's jobs are handled.
public enum WorkerMode: Sendable {
  /// On a thread of its own, as soon as they come.
  case thread
  /// On the thread that calls `work`, and when it does: all in one order, for simulations.
  case byHand
}

/// Starts a detached thread with all signals blocked: they are for the loop's signalfd alone.
private func startThread(name: String, body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(name: name, body: body))
  let result = pthread_create(
    &thread, nil,
    { argument in
      let box = Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue()
      var all = sigset_t()
      sigfillset(&all)
      pthread_sigmask(SIG_BLOCK, &all, nil)
      linux_name_thread(box.name)
      box.body()
      return nil
    }, box.toOpaque())
  precondition(result == 0, "a worker thread cannot be started: error \(result)")
  pthread_detach(thread)
}
