import GRDB

/// That a device has used more in an hour than it may. One for a device and hour; it is cleared when a correction brings
/// the hour under the limit again.
struct Alert: Equatable, Sendable {
  enum State: String, Sendable { case firing, cleared }

  let id: Int64
  let device: Int64
  /// Milliseconds of Unix time, as are the other times.
  let start: Int64
  let end: Int64
  /// The hour's consumption.
  let energy: MicrowattHours
  /// The limit of the time when it fired, kilowatt-hours.
  let limit: Double
  let state: State
  let firedAt: Int64
  let clearedAt: Int64?
  let acknowledgedBy: Int64?
  let acknowledgedAt: Int64?
}

/// Something that happened to an alert, as its owner and the administrators hear it.
struct AlertEvent: Sendable {
  enum State: String, Sendable { case firing, cleared, acknowledged }

  let position: Int64
  let alert: Int64
  let device: Int64
  let state: State
  let energy: MicrowattHours
  let limit: MicrowattHours
  let start: Int64
  let end: Int64
  /// The device's owner and all administrators, each once.
  let recipients: [Int64]
}

extension Alert: FetchableRecord {
  init(row: Row) throws {
    id = row["id"]
    device = row["device_id"]
    start = row["starts_at"]
    end = row["ends_at"]
    energy = MicrowattHours(row["energy"])
    limit = row["limit_kwh"]
    state = State(rawValue: row["state"]) ?? .firing
    firedAt = row["fired_at"]
    clearedAt = row["cleared_at"]
    acknowledgedBy = row["acknowledged_by"]
    acknowledgedAt = row["acknowledged_at"]
  }
}
