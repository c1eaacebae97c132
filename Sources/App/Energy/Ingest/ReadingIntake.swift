import GRDB

/// Stores readings, and brings buckets, resets and alerts up to date with them, all in one transaction.
struct ReadingIntake {
  private let transaction: Transaction
  private let now: Timestamp
  private let puts: ReadingStore.Puts
  private var report = IntakeReport()
  private var changed: [Key: MeterChanges] = [:]

  /// A device's meter, by its place.
  private struct Key: Hashable {
    let device: Int64
    let place: Int
  }

  /// - Parameter device: the one device that the sender may write to; nil for all.
  static func run(
    _ readings: [IncomingReading], onlyFor device: Int64?, in transaction: Transaction,
    now: Timestamp = .now()
  ) throws -> IntakeReport {
    var intake = try ReadingIntake(transaction: transaction, now: now)
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

  private init(transaction: Transaction, now: Timestamp) throws {
    self.transaction = transaction
    puts = try ReadingStore.Puts(transaction.db)
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
    // Looked up before this one is its last.
    _ = try transaction.devices.tail(of: meter, transaction.db)
    let change = try puts.put(reading, of: meter.id)
    report.add(change)
    if change == .duplicate { return }
    let key = Key(device: device.id, place: place)
    changed[key, default: MeterChanges()].note(change, reading)
    if let start = reading.start {
      try transaction.devices.setLongest(
        reading.end - start, ofMeter: place, of: device.id, transaction.db)
    }
  }

  private func refresh() throws {
    for (key, changes) in changed {
      guard let device = try transaction.devices.device(key.device, transaction.db) else { continue }
      let keeper = transaction.bucketKeeper(of: device, place: key.place, now)
      let alerts = AlertKeeper(device: device, transaction: transaction, now: now)
      if let (quarters, buckets) = try append(changes, keeper) {
        if key.place == 0 { try alerts.review(quarters, buckets) }
      } else {
        try refresh(changes, keeper) { if key.place == 0 { try alerts.review($0) } }
      }
    }
  }

  /// The usual way: all are new, and behind the last one.
  /// - Returns: the quarters that were looked at, and the buckets that the meter's tail has then; nil where it is not so.
  private func append(
    _ changes: MeterChanges, _ keeper: BucketKeeper
  ) throws -> (BucketKeeper.Quarters, [Bucket])? {
    guard var tail = try transaction.devices.tail(of: keeper.meter, transaction.db),
      let readings = changes.readings(behind: tail.last),
      let quarters = try keeper.append(readings, to: &tail)
    else { return nil }
    transaction.devices.setTail(tail, of: keeper.meter)
    return (quarters, tail.buckets)
  }

  /// The way for late readings and corrections, and for many hours at once.
  private func refresh(
    _ changes: MeterChanges, _ keeper: BucketKeeper, _ review: (BucketKeeper.Quarters) throws -> Void
  ) throws {
    var stretches = changes.stretches()
    try Self.settleStarts(of: &stretches, keeper)
    for (stretch, namesStarts) in stretches {
      try review(keeper.refresh(around: stretch, namesStarts: namesStarts))
    }
    transaction.devices.forgetTail(of: keeper.meter)
  }

  /// A reading without a start begins where the one before it ends. When that one is of this batch, each stretch before it
  /// is looked at up to the readings on either side: only together they reach back to the one that it followed until now.
  private static func settleStarts(
    of stretches: inout [MeterChanges.Stretch], _ keeper: BucketKeeper
  ) throws {
    var named = true
    for index in stretches.indices.reversed() {
      named = try named && stretches[index].namesStarts && keeper.nameStarts(stretches[index].range)
      stretches[index].namesStarts = named
    }
  }
}

extension MeteredDevice {
  func place(ofMetric name: String?) -> Int? {
    guard let name else { return meters.isEmpty ? nil : 0 }
    return meters.firstIndex { $0.name == name }
  }
}
