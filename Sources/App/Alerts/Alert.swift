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

extension Alert {
  static let columns = """
    id, device_id, starts_at, ends_at, energy, limit_kwh, state, fired_at, cleared_at, acknowledged_by,
    acknowledged_at
    """

  /// - Parameter row: of a statement that asks for `columns`.
  init(_ row: RawStatement) {
    id = row.integer(0)
    device = row.integer(1)
    start = row.integer(2)
    end = row.integer(3)
    energy = MicrowattHours(row.integer(4))
    limit = row.double(5)
    state = State(rawValue: row.text(6)) ?? .firing
    firedAt = row.integer(7)
    clearedAt = row.optionalInteger(8)
    acknowledgedBy = row.optionalInteger(9)
    acknowledgedAt = row.optionalInteger(10)
  }
}
