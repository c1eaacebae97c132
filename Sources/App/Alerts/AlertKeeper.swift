import GRDB

/// Holds the hours of a device against its limit, in the transaction of the readings that changed them.
struct AlertKeeper {
  let device: MeteredDevice
  let transaction: Transaction
  let now: Timestamp

  private var db: Database { transaction.db }

  /// Looks at the hours, of the device's own clock, that hold any of these quarters.
  /// - Parameter known: all buckets of those hours, if they are at hand.
  func review(_ quarters: Range<Int64>, _ known: [Bucket]? = nil) throws {
    guard let meter = device.meters.first else { return }
    let hours = CalendarBuckets(
      from: Quarter.start(quarters.lowerBound), to: Quarter.start(quarters.upperBound), granularity: .hour,
      rules: device.zone, maximum: quarters.count + 1
    ).buckets
    guard let first = hours.first, let last = hours.last else { return }
    let alerts = try alerts(from: first.start - Self.reach, to: last.end)
    if device.hourlyLimit == nil && alerts.isEmpty { return }
    let sums =
      try known.map { Consumption.sums(of: $0, over: hours) }
      ?? Consumption.sums(of: meter.id, over: hours, db)
    // The clock may have been another's when an alert fired: then its hour is none of these, and stays its hour.
    try hold(alerts, meter)
    let taken = Set(alerts.lazy.map(\.start))
    guard let limit = device.hourlyLimit else { return }
    for (hour, sum) in zip(hours, sums) where sum.energy > limit && !taken.contains(hour.start) {
      try fire(hour, sum.energy, limit)
    }
  }

  /// Most hours are later than any that has an alert. The latest one may have fired after `device` was looked up.
  private func alerts(from: Int64, to: Int64) throws -> [Alert] {
    guard let latest = try transaction.devices.device(device.id, db)?.latestAlert, latest >= from else {
      return []
    }
    return try AlertStore.alerts(of: device.id, from: from, to: to, db)
  }

  /// Longer than any hour: one that began that much earlier does not reach here.
  private static let reach: Int64 = 2 * 3_600_000

  /// Looks at all alerts of the device, for its main metric has become another.
  func review() throws {
    guard let meter = device.meters.first else { return }
    try hold(AlertStore.alerts(of: device.id, from: .min, to: .max, db), meter)
  }

  /// Holds alerts against what their hours have now.
  private func hold(_ alerts: [Alert], _ meter: Meter) throws {
    for alert in alerts {
      let hour = CalendarBucket(start: alert.start, end: alert.end, offset: 0)
      try hold(alert, try Consumption.sums(of: meter.id, over: [hour], db)[0].energy)
    }
  }

  private func hold(_ alert: Alert, _ energy: MicrowattHours) throws {
    let limit = MicrowattHours(alert.limit, .kilowattHour)
    switch alert.state {
    case .firing where energy <= limit: try change(alert, to: .cleared, energy, limit)
    case .cleared where energy > limit: try change(alert, to: .firing, energy, limit)
    case .firing, .cleared:
      if energy != alert.energy { try AlertStore.setEnergy(energy, of: alert.id, db) }
    }
  }

  /// Once for a device and hour. It stands as a message in the owner's support conversation, where it can be talked about.
  private func fire(_ hour: CalendarBucket, _ energy: MicrowattHours, _ limit: MicrowattHours) throws {
    let id = try AlertStore.insert(device: device.id, hour, energy, limit: limit, now, db)
    transaction.devices.didFire(at: hour.start, on: device.id)
    try announce(id, .firing, energy, limit, hour.start, hour.end)
    guard let owner = device.owner else { return }
    let conversation = try ConversationChanges(transaction, by: User.system, now: now).openSupport(for: owner)
    let text = AlertText.make(device: device, hour: hour, energy: energy, limit: limit)
    let message = try transaction.messages.append(
      .alert, text, to: conversation.id, from: User.system, db)
    if let message { transaction.announce(.message(message)) }
  }

  private func change(
    _ alert: Alert, to state: Alert.State, _ energy: MicrowattHours, _ limit: MicrowattHours
  ) throws {
    try AlertStore.setState(state, energy, of: alert.id, now, db)
    try announce(
      alert.id, state == .firing ? .firing : .cleared, energy, limit, alert.start, alert.end)
  }

  private func announce(
    _ alert: Int64, _ state: AlertEvent.State, _ energy: MicrowattHours, _ limit: MicrowattHours,
    _ start: Int64, _ end: Int64
  ) throws {
    let position = try transaction.positions.next(db)
    let event = AlertEvent(
      position: position, alert: alert, device: device.id, state: state, energy: energy, limit: limit,
      start: start, end: end, recipients: try AlertStore.recipients(owner: device.owner, db))
    try AlertStore.record(event, db)
    transaction.positions.use(position)
    transaction.announce(.alert(event))
  }
}
