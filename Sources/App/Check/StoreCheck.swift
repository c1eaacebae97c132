import GRDB

/// Verifies a store against itself, in one snapshot: what was derived must equal what it is derived from.
public struct StoreCheck {
  /// What was looked at, and what is wrong.
  public struct Report {
    public internal(set) var messages: Int64 = 0
    public internal(set) var readings: Int64 = 0
    public internal(set) var buckets: Int64 = 0
    /// One line each, for the operator.
    public internal(set) var faults: [String] = []
    /// How many there are; beyond the first thousand they are counted alone.
    public internal(set) var faultCount = 0

    private static let named = 1000

    mutating func add(_ fault: String) {
      faultCount += 1
      if faults.count < Self.named { faults.append(fault) }
    }
  }

  private let store: Store

  public init(store: Store) { self.store = store }

  public func run() throws -> Report {
    try store.read { db in
      var report = Report()
      report.messages = try Int64.fetchOne(db, sql: "SELECT count(*) FROM messages") ?? 0
      report.readings = try Int64.fetchOne(db, sql: "SELECT count(*) FROM readings") ?? 0
      report.buckets = try Int64.fetchOne(db, sql: "SELECT count(*) FROM buckets") ?? 0
      try checkDatabase(db, &report)
      try ChatCheck.run(db, &report)
      try EnergyCheck.run(db, &report)
      return report
    }
  }

  /// SQLite's own view: pages, indexes, rules of the schema, references.
  private func checkDatabase(_ db: Database, _ report: inout Report) throws {
    for fault in try String.fetchAll(db, sql: "PRAGMA integrity_check(100)") where fault != "ok" {
      report.add("database: \(fault)")
    }
    let violations = try db.foreignKeyViolations()
    while let violation = try violations.next() {
      report.add("database: \(violation.description)")
    }
  }
}
