import GRDB

/// Computes every bucket and every found reset anew from the readings, and holds the alerts against the buckets.
enum EnergyCheck {
  static func run(_ db: Database, _ report: inout StoreCheck.Report) throws {
    for device in try Int64.fetchAll(db, sql: "SELECT id FROM devices ORDER BY id") {
      let meters = try DeviceCatalog.meters(of: device, db)
      for meter in meters {
        let name = "\(EntityID.device.text(device)) \(meter.name)"
        try checkReadings(of: meter, name, db, &report)
        try checkBuckets(of: meter, name, db, &report)
      }
      if let main = meters.first { try checkAlerts(of: device, main, db, &report) }
    }
  }

  /// That no reading is stored which would not be taken.
  private static func checkReadings(
    of meter: Meter, _ name: String, _ db: Database, _ report: inout StoreCheck.Report
  ) throws {
    let longest = try Int64.fetchOne(
      db, sql: "SELECT max(ends_at - starts_at) FROM readings WHERE metric_id = ?", arguments: [meter.id])
    if let longest, longest > meter.longest {
      report.add("\(name): a reading spans \(longest) ms, more than the \(meter.longest) that are noted")
    }
    let backward = try Int64.fetchOne(
      db, sql: "SELECT count(*) FROM readings WHERE metric_id = ? AND starts_at >= ends_at",
      arguments: [meter.id])
    if let backward, backward > 0 { report.add("\(name): \(backward) readings end before they start") }
  }

  private static func checkBuckets(
    of meter: Meter, _ name: String, _ db: Database, _ report: inout StoreCheck.Report
  ) throws {
    guard let quarters = try quarters(of: meter, db) else { return }
    let keeper = BucketKeeper(meter: meter, db: db, now: Timestamp.now())
    var next = quarters.lowerBound
    while next < quarters.upperBound {
      let slice = next..<min(next + BucketKeeper.slice, quarters.upperBound)
      let computed = try keeper.compute(slice)
      try compare(computed.totals, of: meter, name, db, &report)
      try compare(computed, resetsOf: meter, name, db, &report)
      next = slice.upperBound
    }
  }

  /// From the first quarter that a reading or a bucket touches to the last.
  private static func quarters(of meter: Meter, _ db: Database) throws -> Range<Int64>? {
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT (SELECT min(coalesce(starts_at, ends_at)) FROM readings WHERE metric_id = ?1) AS first_reading,
          (SELECT max(ends_at) FROM readings WHERE metric_id = ?1) AS last_reading,
          (SELECT min(number) FROM buckets WHERE metric_id = ?1) AS first_bucket,
          (SELECT max(number) FROM buckets WHERE metric_id = ?1) AS last_bucket
        """, arguments: [meter.id])
    let firstReading = (row?["first_reading"] as Int64?).map { Quarter.number(at: $0 - 1) }
    let lastReading = (row?["last_reading"] as Int64?).map { Quarter.number(endingAt: $0) }
    let firstBucket: Int64? = row?["first_bucket"]
    let lastBucket: Int64? = row?["last_bucket"]
    let firsts = [firstReading, firstBucket].compactMap { $0 }
    let lasts = [lastReading, lastBucket.map { $0 + 1 }].compactMap { $0 }
    guard let first = firsts.min(), let last = lasts.max(), first < last else { return nil }
    return first..<last
  }

  private static func compare(
    _ totals: QuarterTotals, of meter: Meter, _ name: String, _ db: Database,
    _ report: inout StoreCheck.Report
  ) throws {
    var stored = Array(repeating: QuarterTotals.Total(), count: totals.range.count)
    try BucketStore.forEach(totals.range, of: meter.id, db) { bucket in
      stored[Int(bucket.number - totals.range.lowerBound)] = bucket.total
    }
    for number in totals.range where stored[Int(number - totals.range.lowerBound)] != totals[number] {
      let found = stored[Int(number - totals.range.lowerBound)]
      let right = totals[number]
      let start = Timestamp(milliseconds: Quarter.start(number)).text
      report.add(
        """
        \(name): the bucket of \(start) holds \(found.energy.kilowattHours) kWh in \(found.covered) ms, \
        but its readings give \(right.energy.kilowattHours) kWh in \(right.covered) ms
        """)
    }
  }

  private static func compare(
    _ computed: BucketKeeper.Computed, resetsOf meter: Meter, _ name: String, _ db: Database,
    _ report: inout StoreCheck.Report
  ) throws {
    let range = computed.totals.range
    // Every moment once: slices look beyond their ends.
    let slice = Quarter.start(range.lowerBound) + 1...Quarter.start(range.upperBound)
    let stored = try ReadingStore.resets(slice, of: meter.id, db).filter { $0.kind == .detected }
    let detected = computed.detected.filter { slice.contains($0.at) }
    for reset in detected where !stored.contains(reset) {
      report.add("\(name): the fall at \(Timestamp(milliseconds: reset.at).text) is not noted")
    }
    for reset in stored where !detected.contains(reset) {
      report.add("\(name): there is no fall at \(Timestamp(milliseconds: reset.at).text)")
    }
  }

  private static func checkAlerts(
    of device: Int64, _ meter: Meter, _ db: Database, _ report: inout StoreCheck.Report
  ) throws {
    for alert in try AlertStore.alerts(of: device, from: .min, to: .max, db) {
      let hour = CalendarBucket(start: alert.start, end: alert.end, offset: 0)
      let sum = try Consumption.sums(of: meter.id, over: [hour], db)[0].energy
      let isOver = sum > MicrowattHours(alert.limit, .kilowattHour)
      guard isOver != (alert.state == .firing) || sum != alert.energy else { continue }
      report.add(
        """
        \(EntityID.alert.text(alert.id)): it is \(alert.state) at \(alert.energy.kilowattHours) kWh, but its \
        hour has \(sum.kilowattHours) kWh, and its limit is \(alert.limit)
        """)
    }
  }
}
