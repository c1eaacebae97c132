import CLinux
import Glibc

/// The reactor's heart: one thread that waits for descriptors, timers and letters, and serves each to its source.
///
/// A loop belongs to the thread that made it. Nothing here may block but `Poller.wait`.
public final class EventLoop {
  private let poller: Poller
  private var sources = SourceTable()
  private var timers = TimerWheel()
  public let mailbox: Mailbox
  public let executor: LoopExecutor

  /// Milliseconds of the monotonic clock, read once a tick.
  public private(set) var now: UInt64
  /// The same moment in nanoseconds: when the tick found what has come.
  public private(set) var tickStart: UInt64
  private let start: UInt64
  private let clock: () -> UInt64
  private var letters: [Mailbox.Letter] = []
  private var due: [SourceID] = []
  private var unfinished: [SourceID] = []
  private var resuming: [SourceID] = []
  private var endOfTick: [() -> Void] = []
  private var isStopping = false

  /// - Parameter clock: nanoseconds that never go back; simulations have a time of their own.
  public init(clock: @escaping () -> UInt64 = EventLoop.monotonicNanoseconds) throws(SystemError) {
    self.clock = clock
    poller = try Poller()
    mailbox = try Mailbox()
    executor = LoopExecutor(mailbox: mailbox)
    tickStart = clock()
    start = Self.milliseconds(tickStart)
    now = start
    let wakeUp = sources.insert(EventSource())
    try poller.add(mailbox.eventfd, as: wakeUp, for: .readable)
  }

  deinit { sources.releaseAll() }

  /// Runs until `stop()`.
  public func run() {
    isStopping = false
    while !isStopping { tick() }
  }

  public func stop() { isStopping = true }

  /// Ends what may keep the loop's user: the letters on their way, and the sources that have been retired.
  func forgetAll() {
    mailbox.forgetAll()
    sources.releaseRetired()
  }

  /// One round. `limit` bounds the sleep, in milliseconds: tests tick by hand with 0.
  public func tick(limit: Int32 = -1) {
    let events = poller.wait(milliseconds: sleep(limit: limit))
    tickStart = clock()
    now = Self.milliseconds(tickStart)
    for event in events {
      sources.unmanaged(SourceID(raw: event.source))?._withUnsafeGuaranteedRef {
        $0.ready(Readiness(rawValue: event.events))
      }
    }
    resumeUnfinished()
    openLetters()
    expireTimers()
    for step in endOfTick { step() }
    sources.releaseRetired()
  }

  // MARK: Sources

  /// Serves a source; with a descriptor, also watches that. The source is kept alive until `retire`.
  public func add(_ source: EventSource, fd: Int32? = nil, for readiness: Readiness = []) throws(SystemError)
  {
    source.id = sources.insert(source)
    guard let fd else { return }
    do {
      try poller.add(fd, as: source.id, for: readiness)
    } catch {
      sources.retire(source.id)
      throw error
    }
  }

  /// Ends a source: no event, timer or letter reaches it any more. The caller closes the descriptor, which also takes
  /// it out of epoll.
  public func retire(_ source: EventSource) {
    cancelTimer(of: source)
    sources.retire(source.id)
  }

  public func source(_ id: SourceID) -> EventSource? { sources[id] }
  /// For what is done to it in this tick: retired or not, it lives to the tick's end.
  @inline(__always)
  func unmanagedSource(_ id: SourceID) -> Unmanaged<EventSource>? { sources.unmanaged(id) }
  public var sourceCount: Int { sources.count }
  func forEachSource(_ body: (EventSource) -> Void) { sources.forEach(body) }

  /// Calls the source's `resume` in the next tick, which does not sleep before it.
  public func again(_ source: EventSource) { unfinished.append(source.id) }

  /// Adds a step to the end of each tick; steps run in the order they were added.
  public func atEndOfTick(_ step: @escaping () -> Void) { endOfTick.append(step) }

  /// Adds a step that runs before all that are there.
  public func firstAtEndOfTick(_ step: @escaping () -> Void) { endOfTick.insert(step, at: 0) }

  // MARK: Timers

  /// Sets the source's one timer, to a time of `now`'s clock. Granularity: 16 ms, never early.
  public func setTimer(of source: EventSource, at milliseconds: UInt64) {
    cancelTimer(of: source)
    source.timer = timers.set(owner: source.id, deadline: tickCount(milliseconds))
  }

  /// Lets the source's timer fire at that tick or before: one that is set for an earlier time stays, and its
  /// handler sets it anew. So a deadline that moves on with each request does not touch the wheel each time.
  func setTimer(of source: EventSource, notAfterTick tick: UInt32) {
    if source.timer != TimerWheel.none {
      guard timers.deadline(of: source.timer) > tick else { return }
      timers.cancel(source.timer)
    }
    source.timer = timers.set(owner: source.id, deadline: tick)
  }

  /// `now` in the timers' ticks since the loop began.
  var tickNow: UInt32 { UInt32(truncatingIfNeeded: (now - start) / TimerWheel.millisecondsPerTick) }

  public func cancelTimer(of source: EventSource) {
    guard source.timer != TimerWheel.none else { return }
    timers.cancel(source.timer)
    source.timer = TimerWheel.none
  }

  // MARK: The parts of a tick

  private func sleep(limit: Int32) -> Int32 {
    if !unfinished.isEmpty { return 0 }
    guard let due = timers.nextDue else { return limit }
    let time = start + UInt64(due) * TimerWheel.millisecondsPerTick
    let present = Self.milliseconds(clock())
    let wait = time <= present ? 0 : Int32(clamping: time - present)
    return limit < 0 ? wait : min(limit, wait)
  }

  private func resumeUnfinished() {
    guard !unfinished.isEmpty else { return }
    swap(&unfinished, &resuming)
    for id in resuming { sources[id]?.resume() }
    resuming.removeAll(keepingCapacity: true)
  }

  private func openLetters() {
    mailbox.take(into: &letters)
    for letter in letters {
      switch letter {
      case .call(let call): call()
      case .job(let job): executor.run(job)
      }
    }
    letters.removeAll(keepingCapacity: true)
  }

  private func expireTimers() {
    timers.expire(at: tickNow, into: &due)
    guard !due.isEmpty else { return }
    // All are taken out of the wheel before the first runs: a handler may set and cancel as it likes.
    for id in due { sources[id]?.timer = TimerWheel.none }
    for id in due {
      guard let source = sources[id], source.timer == TimerWheel.none else { continue }
      source.timerFired()
    }
    due.removeAll(keepingCapacity: true)
  }

  private func tickCount(_ milliseconds: UInt64) -> UInt32 {
    TimerWheel.ticks(milliseconds <= start ? 0 : milliseconds - start)
  }

  // MARK: Clocks

  /// For measuring: the loop's clock, read now.
  public func nanoseconds() -> UInt64 { clock() }

  /// The clock of loops that have no other, on any thread.
  public static func monotonicNanoseconds() -> UInt64 { linux_monotonic_ns() }

  private static func milliseconds(_ nanoseconds: UInt64) -> UInt64 { nanoseconds / 1_000_000 }
}
