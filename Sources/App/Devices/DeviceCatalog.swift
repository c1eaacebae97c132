import GRDB

/// What the writer must know of a device to take its readings.
struct MeteredDevice {
  let id: Int64
  let name: String
  let owner: Int64?
  let zone: ZoneRules
  /// What an hour may be before an alert fires; nil for no limit.
  let hourlyLimit: MicrowattHours?
  /// In the device's order: the first is the main one.
  var meters: [Meter]
  /// When the latest hour begins that an alert is of; nil if there is none.
  var latestAlert: Int64?
}

/// The devices that readings came for lately. Belongs to the writer's thread, which forgets what is changed there.
final class DeviceCatalog {
  private var devices: [Int64: MeteredDevice] = [:]
  /// By the meter; nil for one that has none. Of known devices alone.
  private var tails: [Int64: MeterTail?] = [:]
  private static let limit = 50_000

  func forget() {
    devices = [:]
    tails = [:]
  }

  func forget(_ device: Int64) {
    for meter in devices[device]?.meters ?? [] { tails.removeValue(forKey: meter.id) }
    devices[device] = nil
  }

  /// nil for a device that is not there, or is deleted.
  func device(_ id: Int64, _ db: Database) throws -> MeteredDevice? {
    if let known = devices[id] { return known }
    guard let found = try Self.load(id, db) else { return nil }
    if devices.count >= Self.limit { forget() }
    devices[id] = found
    return found
  }

  /// Notes that an alert has fired, of the hour that begins then.
  func didFire(at start: Int64, on device: Int64) {
    let latest = devices[device]?.latestAlert ?? start
    devices[device]?.latestAlert = max(start, latest)
  }

  /// Notes a reading with a longer span than any before it.
  func setLongest(_ longest: Int64, ofMeter place: Int, of device: Int64, _ db: Database) throws {
    guard let meter = devices[device]?.meters[place], longest > meter.longest else { return }
    devices[device]?.meters[place].longest = longest
    try db.cachedStatement(sql: "UPDATE metrics SET longest = ? WHERE id = ?")
      .execute(arguments: [longest, meter.id])
  }

  // MARK: Tails

  func tail(of meter: Meter, _ db: Database) throws -> MeterTail? {
    if let known = tails[meter.id] { return known }
    let found = try MeterTail(of: meter, db)
    tails.updateValue(found, forKey: meter.id)
    return found
  }

  func setTail(_ tail: MeterTail, of meter: Meter) { tails.updateValue(tail, forKey: meter.id) }

  func forgetTail(of meter: Meter) { tails.removeValue(forKey: meter.id) }

  static func load(_ id: Int64, _ db: Database) throws -> MeteredDevice? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT name, owner_id, timezone, max_hourly_kwh,
          (SELECT max(starts_at) FROM alerts WHERE device_id = devices.id) AS latest_alert
        FROM devices WHERE id = ? AND deleted_at IS NULL
        """)
    guard let row = try Row.fetchOne(statement, arguments: [id]) else { return nil }
    let limit: Double? = row["max_hourly_kwh"]
    return MeteredDevice(
      id: id, name: row["name"], owner: row["owner_id"], zone: ZoneRules.named(row["timezone"]) ?? .utc,
      hourlyLimit: limit.map { MicrowattHours($0, .kilowattHour) }, meters: try meters(of: id, db),
      latestAlert: row["latest_alert"])
  }

  static func meters(of device: Int64, _ db: Database) throws -> [Meter] {
    let statement = try db.cachedStatement(
      sql: "SELECT id, name, kind, unit, longest FROM metrics WHERE device_id = ? ORDER BY place")
    return try Row.fetchAll(statement, arguments: [device]).map { row in
      // The schema allows no others.
      Meter(
        id: row["id"], name: row["name"], kind: MetricKind(rawValue: row["kind"]) ?? .interval,
        unit: EnergyUnit(rawValue: row["unit"]) ?? .kilowattHour, longest: row["longest"])
    }
  }
}
