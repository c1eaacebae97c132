/// Readings that have been parsed, and what was refused of them, until the writer takes them.
struct ReadingBatch: Sendable {
  /// The device of the request's path; nil where each reading names its own.
  let device: Int64?
  /// Milliseconds of Unix time: what is later than that, but for a little, is in the future.
  private let now: Int64
  /// How many readings there were, in all batches.
  private var index = 0
  private(set) var readings: [IncomingReading] = []
  private(set) var report = IntakeReport()

  init(device: Int64?, now: Timestamp = .now()) {
    self.device = device
    self.now = now.milliseconds
  }

  mutating func add(_ fields: ReadingFields) {
    switch fields.reading(index, path: device, now: now) {
    case .success(let reading): readings.append(reading)
    case .failure(let rejection): report.add(rejection)
    }
    index += 1
  }

  mutating func reject(_ kind: ProblemKind, _ detail: String) {
    report.add(Rejection(index, kind, detail))
    index += 1
  }

  /// Hands out whole batches, and keeps what is left. A batch is whole when it has `count` readings, or when the spans that
  /// its readings name are as long together as the longest that one may name: the time of a transaction goes with both.
  mutating func takeBatches(of count: Int) -> [[IncomingReading]] {
    var batches: [[IncomingReading]] = []
    var start = 0
    var span: Int64 = 0
    for (index, incoming) in readings.enumerated() {
      span += incoming.reading.start.map { incoming.reading.end - $0 } ?? 0
      guard index + 1 - start == count || span >= longestSpan else { continue }
      batches.append(Array(readings[start...index]))
      start = index + 1
      span = 0
    }
    readings.removeFirst(start)
    return batches
  }

  /// Hands out what has gathered, and goes on counting.
  mutating func takeReadings() -> [IncomingReading] {
    defer { readings = [] }
    return readings
  }
}
