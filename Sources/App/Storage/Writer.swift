import GRDB
import GRDBSQLite
import Logging
import Reactor

/// The one thread that changes the store. All that queued while a transaction ran is the next transaction (group
/// commit): one fsync for as many changes as there are, and no timer to tune.
///
/// Nobody hears of a change before the commit that holds it has returned.
final class Writer: Sendable {
  enum Job: Sendable {
    case messages(PublishBatch)
    case change(Change)
  }

  /// A change of another kind. It fails alone: its savepoint rolls back, and the rest of the batch stays.
  struct Change: Sendable {
    let run: @Sendable (Transaction) throws -> Void
    /// Where the writer notes the times of its transaction, if somebody wants to hear of them.
    var times: ChangeTimes?
    /// Called once, after the commit (nil) or with what went wrong.
    let finish: @Sendable ((any Error)?) -> Void
  }

  private let thread: WorkerThread<Job>
  private let checkpointer: Checkpointer
  let watched: WatchedDevices

  /// - Parameters:
  ///   - limit: the jobs that may wait; a batch of messages is one.
  ///   - mode: `byHand` for simulations: then `work` and `copyLog` do what the threads would.
  ///   - longLog: as the `Checkpointer` has it.
  ///   - committed: takes each batch of messages back, on the writer's thread.
  ///   - announced: takes what changes have to tell, after their commit, on the writer's thread.
  init(
    store: Store, limit: Int = 10_000, mode: WorkerMode = .thread, longLog: Int = Checkpointer.longLog,
    watched: WatchedDevices = WatchedDevices(), committed: @escaping @Sendable (PublishBatch) -> Void,
    announced: @escaping @Sendable ([Announcement]) -> Void
  ) {
    self.watched = watched
    let checkpointer = Checkpointer(store: store, longLog: longLog, mode: mode)
    self.checkpointer = checkpointer
    let transactions = Transactions(
      store: store, watched: watched, committed: committed, announced: announced)
    thread = WorkerThread(name: "writer", limit: limit, mode: mode) {
      transactions.perform($0)
      checkpointer.tend()
    }
  }

  /// False if the queue is full.
  func submit(_ batch: PublishBatch) -> Bool { thread.submit(.messages(batch)) }

  /// Runs a change in the next transaction, and returns its result once that is on disk.
  /// - Throws: `Problem.busy` if the queue is full; what `body` throws, with its changes undone.
  func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
    try await transact { try body($0.db) }
  }

  /// The same for a change that appends events, or has something to announce.
  func transact<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
    guard let waits = WriterWaits.current else { return try await transact(body, noting: nil) }
    let change = ChangeTimes(opened: EventLoop.monotonicNanoseconds())
    defer { if change.times.began != 0 { waits.add(WriterWait(change.times)) } }
    return try await transact(body, noting: change)
  }

  private func transact<T: Sendable>(
    _ body: @escaping @Sendable (Transaction) throws -> T, noting times: ChangeTimes?
  ) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      let result = Outcome<T>()
      let change = Change(
        run: { result.value = try body($0) },
        times: times,
        finish: { error in
          if let error { return continuation.resume(throwing: error) }
          continuation.resume(with: result.success)
        })
      if !thread.submit(.change(change)) { continuation.resume(throwing: Problem.busy) }
    }
  }

  /// Hands over a change whose result nobody waits for; false if the queue is full.
  /// - Parameter finished: is called after the commit (nil) or with what went wrong, on the writer's thread.
  func submit(
    _ body: @escaping @Sendable (Transaction) throws -> Void,
    finished: @escaping @Sendable ((any Error)?) -> Void
  ) -> Bool {
    thread.submit(.change(Change(run: body, finish: finished)))
  }

  /// Makes one transaction of the oldest jobs that wait; false if there are none. Only `byHand`.
  @discardableResult
  func work(most: Int = .max) -> Bool { thread.work(most: most) }

  /// The jobs that wait.
  var waiting: Int { thread.waiting }

  /// Lets the checkpointer do what it was asked for; false if that is nothing. Only `byHand`.
  @discardableResult
  func copyLog() -> Bool { checkpointer.work() }

  /// Finishes what waits, and returns when its threads have ended.
  func close() {
    thread.close()
    checkpointer.close()
  }

  /// A change's times, which are the writer's thread's from its submission to `finish`.
  final class ChangeTimes: @unchecked Sendable {
    fileprivate(set) var times = WriterTimes()
    init(opened: UInt64) { times.opened = opened }
  }

  /// A change's result on its way from `run` to `finish`, which both run on the writer's thread.
  private final class Outcome<T: Sendable>: @unchecked Sendable {
    var value: T?
    var success: Result<T, any Error> { value.map(Result.success) ?? .failure(Problem.internal) }
  }
}

/// The transactions themselves. Belongs to the writer's thread.
private final class Transactions: @unchecked Sendable {
  private let store: Store
  private let watched: WatchedDevices
  private let committed: @Sendable (PublishBatch) -> Void
  private let announced: @Sendable ([Announcement]) -> Void
  private let positions = Positions()
  private let search = SearchIndex()
  private let messages: MessageLog
  private let devices = DeviceCatalog()
  /// SQLite's count of commits by others.
  private var dataVersion: Int64 = 0
  private let log = Logger(label: "wattloop.writer")

  init(
    store: Store, watched: WatchedDevices, committed: @escaping @Sendable (PublishBatch) -> Void,
    announced: @escaping @Sendable ([Announcement]) -> Void
  ) {
    self.store = store
    self.watched = watched
    self.committed = committed
    self.announced = announced
    messages = MessageLog(positions: positions, index: search)
  }

  /// What is in memory may have been rolled back, or changed by another program.
  private func forget() {
    positions.forget()
    search.forget()
    messages.forget()
    devices.forget()
  }

  /// A command beside the server may have changed anything.
  private func noticeOthers(_ db: Database) throws {
    let version = try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
    if version != dataVersion { forget() }
    dataVersion = version
  }

  func perform(_ jobs: [Writer.Job]) {
    var failures: [Int: any Error] = [:]
    var announcements: [Int: [Announcement]] = [:]
    note(\.began, in: jobs)
    do {
      try store.writeWithoutTransaction { db in
        try db.inTransaction(.immediate) {
          try noticeOthers(db)
          for (index, job) in jobs.enumerated() {
            announcements[index] = try run(job, db) { failures[index] = $0 }
          }
          try EventStore.prune(db, last: positions.next(db) - 1)
          return .commit
        }
      }
    } catch {
      log.error("a transaction failed and was rolled back", metadata: ["error": "\(error)"])
      forget()
      for index in jobs.indices where failures[index] == nil { failures[index] = error }
    }
    note(\.committed, in: jobs)
    finish(jobs, failures, announcements)
  }

  private func note(_ stage: WritableKeyPath<WriterTimes, UInt64>, in jobs: [Writer.Job]) {
    let now = EventLoop.monotonicNanoseconds()
    for job in jobs {
      switch job {
      case .messages(let batch): batch.times[keyPath: stage] = now
      case .change(let change): change.times?.times[keyPath: stage] = now
      }
    }
  }

  /// Returns what there is to announce; nil where there is nothing.
  private func run(
    _ job: Writer.Job, _ db: Database, failed: (any Error) -> Void
  ) throws -> [Announcement]? {
    switch job {
    case .messages(let batch):
      try messages.append(batch, db)
      return nil
    case .change(let change):
      let transaction = Transaction(
        db: db, positions: positions, messages: messages, devices: devices, watched: watched)
      do {
        try db.inSavepoint {
          try change.run(transaction)
          return .commit
        }
        return transaction.announcements.isEmpty ? nil : transaction.announcements
      } catch {
        forget()
        failed(error)
        return nil
      }
    }
  }

  private func finish(
    _ jobs: [Writer.Job], _ failures: [Int: any Error], _ announcements: [Int: [Announcement]]
  ) {
    for (index, job) in jobs.enumerated() {
      if failures[index] == nil, let news = announcements[index] { announced(news) }
      switch job {
      case .messages(let batch):
        if failures[index] != nil { batch.fail() }
        committed(batch)
      case .change(let change): change.finish(failures[index])
      }
    }
  }
}
