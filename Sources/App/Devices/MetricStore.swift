import GRDB

/// The SQL that changes a device's metrics.
enum MetricStore {
  /// Makes these a device's metrics, in this order. Metrics are the same that have the same name.
  /// - Throws: `conflict` naming each metric with readings that would go, or whose readings would mean something else.
  static func replace(with metrics: [Metric], of device: Int64, in db: Database) throws {
    let present = try DeviceCatalog.meters(of: device, db)
    try checkReadings(present, metrics, in: db)
    for meter in present where !metrics.contains(where: { $0.name == meter.name }) {
      try forget(meter, in: db)
      try db.cachedStatement(sql: "DELETE FROM metrics WHERE id = ?").execute(arguments: [meter.id])
    }
    for meter in present where metrics.contains(where: { $0.name == meter.name && !$0.hasFormOf(meter) }) {
      try forget(meter, in: db)
    }
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO metrics (device_id, place, name, kind, unit) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (device_id, name)
        DO UPDATE SET place = excluded.place, kind = excluded.kind, unit = excluded.unit
        """)
    for (place, metric) in metrics.enumerated() {
      try statement.execute(arguments: [
        device, place, metric.name, metric.kind.rawValue, metric.unit.rawValue,
      ])
    }
  }

  private static func checkReadings(_ present: [Meter], _ metrics: [Metric], in db: Database) throws {
    var errors: [Problem.FieldError] = []
    for meter in present where try hasReadings(meter, in: db) {
      guard let place = metrics.firstIndex(where: { $0.name == meter.name }) else {
        errors.append(.init("/metrics", "must hold '\(meter.name)', which has readings"))
        continue
      }
      if metrics[place].kind != meter.kind {
        errors.append(
          .init("/metrics/\(place)/kind", "must stay '\(meter.kind.rawValue)': there are readings"))
      }
      if metrics[place].unit != meter.unit {
        errors.append(
          .init("/metrics/\(place)/unit", "must stay '\(meter.unit.rawValue)': there are readings"))
      }
    }
    if errors.isEmpty { return }
    throw Problem(.conflict, detail: "A metric that has readings stays what it is.", errors: errors)
  }

  private static func hasReadings(_ meter: Meter, in db: Database) throws -> Bool {
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM readings WHERE metric_id = ? LIMIT 1")
    return try Row.fetchOne(statement, arguments: [meter.id]) != nil
  }

  /// Meter changes that were declared before the first reading, and what was computed: it meant another metric.
  private static func forget(_ meter: Meter, in db: Database) throws {
    for table in ["resets", "buckets"] {
      try db.execute(sql: "DELETE FROM \(table) WHERE metric_id = ?", arguments: [meter.id])
    }
  }
}

extension Metric {
  fileprivate func hasFormOf(_ meter: Meter) -> Bool { kind == meter.kind && unit == meter.unit }
}
