/// A device as administrators and its owner see it.
struct Device: Sendable, Equatable {
  /// What can be changed.
  struct Settings: Sendable, Equatable {
    var name: String
    var address: String?
    /// The user whose device it is.
    var owner: Int64?
    /// A name of the IANA database: the zone of the device's days and months.
    var timezone = "UTC"
    /// The first is the main one: its consumption is the device's.
    var metrics = [Metric.standard]
    /// What an hour may be before an alert fires, kWh.
    var hourlyLimit: Double?
  }

  let id: Int64
  var settings: Settings
  let createdAt: Timestamp
}

extension Device: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, name, address, timezone, metrics
    case owner = "owner_id"
    case hourlyLimit = "max_hourly_kwh"
    case createdAt = "created_at"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(EntityID.device.text(id), forKey: .id)
    try container.encode(settings.name, forKey: .name)
    try container.encode(settings.address, forKey: .address)
    try container.encode(settings.owner.map(EntityID.user.text), forKey: .owner)
    try container.encode(settings.timezone, forKey: .timezone)
    try container.encode(settings.metrics, forKey: .metrics)
    try container.encode(settings.hourlyLimit, forKey: .hourlyLimit)
    try container.encode(createdAt, forKey: .createdAt)
  }
}
