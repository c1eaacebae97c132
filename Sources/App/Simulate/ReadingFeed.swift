import Reactor

/// Hands out a run's readings, request by request, when they are due.
final class ReadingFeed {
  enum Source {
    case devices(SimulatedReadings)
    case file(CSVFile)
  }

  private let source: Source
  private let loop: EventLoop
  private let pauses: Pauses
  /// nil: all are due at once.
  private let schedule: ReadingSchedule?
  private let batch: UInt64
  private let start: UInt64
  /// How many there are; nil for no end.
  private let limit: UInt64?
  private var taken: UInt64 = 0

  /// The schedule starts now.
  init(_ source: Source, schedule: ReadingSchedule?, _ plan: SimulationPlan, loop: EventLoop) {
    self.source = source
    self.schedule = schedule
    self.loop = loop
    pauses = Pauses(loop: loop)
    batch = UInt64(plan.batch)
    start = loop.now
    limit = plan.seconds.flatMap { schedule?.due(at: UInt64($0) * 1000) }
  }

  /// Milliseconds since the start.
  var elapsed: UInt64 { loop.now - start }
  /// How late the next reading is, in milliseconds; 0 without a schedule.
  var lag: UInt64 {
    guard let schedule, taken < limit ?? .max else { return 0 }
    return schedule.lag(sent: taken, at: elapsed)
  }

  /// Whether a file is left that was not sent to its end. Devices have no end: they are stopped.
  var leavesRest: Bool {
    if case .file(let file) = source { !file.isSent } else { false }
  }

  /// Hands out nothing any more.
  func stop() { pauses.endAll() }

  /// Lines of the file that cannot be sent, found since the last call.
  func takeTooLong() -> [Int] {
    if case .file(let file) = source { file.takeTooLong() } else { [] }
  }

  /// Waits until a reading is due. nil at the end, or when the feed is stopped.
  func next() async throws(ExitFailure) -> ReadingUpload? {
    while !pauses.areOver {
      let count = min(due, batch)
      if count > 0 { return try take(count) }
      guard let schedule, taken < limit ?? .max else { return nil }
      await pauses.wait(milliseconds: schedule.time(of: taken) - elapsed)
    }
    return nil
  }

  /// Readings that are due and not handed out.
  private var due: UInt64 {
    guard let schedule else { return .max }
    return min(schedule.due(at: elapsed), limit ?? .max) - taken
  }

  private func take(_ count: UInt64) throws(ExitFailure) -> ReadingUpload? {
    let upload: ReadingUpload?
    switch source {
    case .devices(let readings): upload = readings.upload(taken..<taken + count)
    case .file(let file): upload = try file.upload(atMost: Int(count))
    }
    taken += UInt64(upload?.count ?? 0)
    return upload
  }
}
