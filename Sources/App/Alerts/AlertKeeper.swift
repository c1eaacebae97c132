import GRDB

/// Holds the hours of a device against its limit, in the transaction of the readings that changed them.
struct AlertKeeper {
  let device: MeteredDevice
  let transaction: Transaction
  let now: Timestamp

  private var db: Database { transaction.db }

  /// Looks at the hours, of the device's own clock, that hold any of these quarters.
  func review(_ quarters: Range<Int64>) throws {
    guard let meter = device.meters.first else { return }
    let hours = CalendarBuckets(
      from: Quarter.start(quarters.lowerBound), to: Quarter.start(quarters.upperBound), granularity: .hour,
      rules: device.zone, maximum: quarters.count + 1
    ).buckets
    guard let first = hours.first, let last = hours.last else { return }
    let alerts = try AlertStore.alerts(of: device.id, from: first.start, to: last.end, db)
    if device.hourlyLimit == nil && alerts.isEmpty { return }
    let sums = try Consumption.sums(of: meter.id, over: hours, db)
    var next = 0
    for (hour, sum) in zip(hours, sums) {
      while next < alerts.count, alerts[next].start < hour.start { next += 1 }
      let alert = next < alerts.count && alerts[next].start == hour.start ? alerts[next] : nil
      try review(hour, sum.energy, alert)
    }
  }

  private func review(_ hour: CalendarBucket, _ energy: MicrowattHours, _ alert: Alert?) throws {
    guard let alert else {
      if let limit = device.hourlyLimit, energy > limit { try fire(hour, energy, limit) }
      return
    }
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
    try announce(id, .firing, energy, limit, hour.start, hour.end)
    guard let owner = device.owner else { return }
    let conversation = try SupportConversations.open(for: owner, now: now, in: db)
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
