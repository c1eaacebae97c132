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

  /// Hands out whole batches, and keeps what is left.
  mutating func takeBatches(of count: Int) -> [[IncomingReading]] {
    guard readings.count >= count else { return [] }
    let whole = readings.count / count * count
    defer { readings.removeFirst(whole) }
    return stride(from: 0, to: whole, by: count).map { Array(readings[$0..<$0 + count]) }
  }

  /// Hands out what has gathered, and goes on counting.
  mutating func takeReadings() -> [IncomingReading] {
    defer { readings = [] }
    return readings
  }
}
