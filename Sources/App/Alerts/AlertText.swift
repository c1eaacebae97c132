/// What an alert says in the chat.
enum AlertText {
  /// `Heat pump: 5.2 kWh from 14:00 to 15:00 on 2026-11-24 (Europe/Berlin), over the limit of 5 kWh an hour.`
  static func make(
    device: MeteredDevice, hour: CalendarBucket, energy: MicrowattHours, limit: MicrowattHours
  ) -> String {
    let start = hour.label
    let end = CalendarBucket(start: hour.end, end: hour.end, offset: device.zone.offset(at: hour.end)).label
    return """
      \(device.name): \(text(energy)) kWh from \(clock(start)) to \(clock(end)) on \(start.prefix(10)) \
      (\(device.zone.identifier)), over the limit of \(text(limit)) kWh an hour.
      """
  }

  /// The hours and minutes of a label.
  private static func clock(_ label: String) -> Substring { label.dropFirst(11).prefix(5) }

  private static func text(_ energy: MicrowattHours) -> String {
    var bytes: [UInt8] = []
    // Watt-hours are as fine as anybody reads.
    let rounded = (energy.count / 1_000_000) * 1_000_000
    MicrowattHours(rounded == 0 ? energy.count : rounded).appendKilowattHours(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
