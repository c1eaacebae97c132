import GRDB

/// Stores readings, and brings buckets, resets and alerts up to date with them, all in one transaction.
struct ReadingIntake {
  private let transaction: Transaction
  private let now: Timestamp
  private var report = IntakeReport()
  private var touched: [Key: [Touch]] = [:]

  /// A device's meter, by its place.
  private struct Key: Hashable {
    let device: Int64
    let place: Int
  }

  /// A stretch of time in which a reading has changed something.
  private struct Touch {
    let start: Int64
    let end: Int64
    /// The reading names its start, as did the one whose place it took.
    let namesStart: Bool
  }

  /// Changes that are further apart than this are looked at each for itself.
  private static let farApart: Int64 = 86_400_000

  /// - Parameter device: the one device that the sender may write to; nil for all.
  static func run(
    _ readings: [IncomingReading], onlyFor device: Int64?, in transaction: Transaction,
    now: Timestamp = .now()
  ) throws -> IntakeReport {
    var intake = ReadingIntake(transaction: transaction, now: now)
    for incoming in readings {
      do {
        try intake.take(incoming, onlyFor: device)
      } catch let rejection as Rejection {
        intake.report.add(rejection)
      }
    }
    try intake.refresh()
    return intake.report
  }

  private init(transaction: Transaction, now: Timestamp) {
    self.transaction = transaction
    self.now = now
  }

  private mutating func take(_ incoming: IncomingReading, onlyFor only: Int64?) throws {
    guard only == nil || incoming.device == only,
      let device = try transaction.devices.device(incoming.device, transaction.db)
    else { throw Rejection(incoming.index, .notFound, "there is no such device") }
    guard let place = device.place(ofMetric: incoming.metric) else {
      throw Rejection(incoming.index, .validation, "the device has no such metric")
    }
    let meter = device.meters[place]
    let reading = incoming.reading
    if let complaint = meter.kind.complaint(about: reading.value, in: meter.unit) {
      throw Rejection(incoming.index, .validation, complaint)
    }
    if reading.start != nil && meter.kind != .interval {
      throw Rejection(incoming.index, .validation, "only a metric of kind interval has a start")
    }
    if try ReadingPile.isFull(under: reading, of: meter, transaction.db) {
      throw Rejection(
        incoming.index, .validation,
        "the span overlaps \(ReadingPile.most) others of more than a day")
    }
    let change = try ReadingStore.put(reading, of: meter.id, transaction.db)
    report.add(change)
    try note(change, reading, Key(device: device.id, place: place))
  }

  private mutating func note(_ change: ReadingStore.Change, _ reading: Reading, _ key: Key) throws {
    if let start = reading.start {
      try transaction.devices.setLongest(
        reading.end - start, ofMeter: key.place, of: key.device, transaction.db)
    }
    switch change {
    case .duplicate: break
    case .new:
      touched[key, default: []].append(
        Touch(start: reading.start ?? reading.end, end: reading.end, namesStart: reading.start != nil))
    case .corrected(let start):
      touched[key, default: []].append(
        Touch(
          start: min(reading.start ?? reading.end, start ?? reading.end), end: reading.end,
          namesStart: reading.start != nil && start != nil))
    }
  }

  private func refresh() throws {
    for (key, touches) in touched {
      guard let device = try transaction.devices.device(key.device, transaction.db) else { continue }
      let keeper = transaction.bucketKeeper(of: device, place: key.place, now)
      var stretches = Self.stretches(touches)
      try Self.settleStarts(of: &stretches, keeper)
      for (stretch, namesStarts) in stretches {
        let quarters = try keeper.refresh(around: stretch, namesStarts: namesStarts)
        if key.place == 0 {
          try AlertKeeper(device: device, transaction: transaction, now: now).review(quarters)
        }
      }
    }
  }

  /// A reading without a start begins where the one before it ends. When that one is of this batch, each stretch before it
  /// is looked at up to the readings on either side: only together they reach back to the one that it followed until now.
  private static func settleStarts(
    of stretches: inout [(ClosedRange<Int64>, namesStarts: Bool)], _ keeper: BucketKeeper
  ) throws {
    var named = true
    for index in stretches.indices.reversed() {
      named = try named && stretches[index].namesStarts && keeper.nameStarts(stretches[index].0)
      stretches[index].namesStarts = named
    }
  }

  private static func stretches(_ touches: [Touch]) -> [(ClosedRange<Int64>, namesStarts: Bool)] {
    var stretches: [(ClosedRange<Int64>, namesStarts: Bool)] = []
    for touch in touches.sorted(by: { $0.start < $1.start }) {
      if let last = stretches.last, touch.start - last.0.upperBound <= farApart {
        stretches[stretches.count - 1] = (
          last.0.lowerBound...max(last.0.upperBound, touch.end), last.namesStarts && touch.namesStart
        )
      } else {
        stretches.append((touch.start...touch.end, touch.namesStart))
      }
    }
    return stretches
  }
}

extension MeteredDevice {
  func place(ofMetric name: String?) -> Int? {
    guard let name else { return meters.isEmpty ? nil : 0 }
    return meters.firstIndex { $0.name == name }
  }
}
