import Foundation

/// The body of `POST /devices` and of `PATCH /devices/{id}`: what it sets, and all that is wrong with it.
struct DeviceChange: Decodable, Sendable {
  let name: FieldChange<String>
  let address: FieldChange<String>
  let owner: FieldChange<Int64>
  let timezone: FieldChange<String>
  let metrics: FieldChange<[Metric]>
  let hourlyLimit: FieldChange<Double>
  private let errors: [Problem.FieldError]

  /// What the server sets, and nobody else.
  static let readOnly: Set<String> = ["id", "created_at"]
  static let unknownOwner = Problem.FieldError("/owner_id", "names no user")

  private enum CodingKeys: String, CodingKey {
    case name, address, timezone, metrics
    case owner = "owner_id"
    case hourlyLimit = "max_hourly_kwh"
  }

  init(from decoder: any Decoder) throws {
    var fields = try FieldReader(decoder, keyedBy: CodingKeys.self)
    name = fields.change(.name, LabelRule.text, LabelRule.parse)
    address = fields.change(.address, "must be at most 500 characters") {
      $0.unicodeScalars.count <= 500 ? $0 : nil
    }
    owner = fields.change(.owner, Self.unknownOwner.detail, EntityID.user.parse)
    timezone = fields.change(.timezone, "must be a time zone of the IANA database, such as 'Europe/Berlin'") {
      ZoneRules.named($0)?.identifier
    }
    hourlyLimit = fields.change(.hourlyLimit, "must be above 0 and at most 1000000") {
      $0 > 0 && $0 <= 1e6 ? $0 : nil
    }
    let list: FieldChange<MetricListFields> = fields.change(.metrics, "") { $0 }
    switch list {
    case .keep: metrics = .keep
    case .remove: metrics = .remove
    case .set(let list): metrics = .set(list.metrics)
    }
    if case .set(let list) = list { errors = fields.errors + list.errors } else { errors = fields.errors }
  }

  /// What is wrong with it as the body of a POST, where null stands for a field that is left out.
  var errorsOfNew: [Problem.FieldError] {
    guard name.applied(to: nil) == nil, !errors.contains(where: { $0.pointer == "/name" }) else {
      return errors
    }
    return errors + [.init("/name", "is missing")]
  }

  /// What is wrong with it as a merge patch, where null takes a value away: these always have one.
  var errorsOfPatch: [Problem.FieldError] {
    let missing = [
      ("/name", name == .remove), ("/timezone", timezone == .remove), ("/metrics", metrics == .remove),
    ]
    return errors + missing.filter(\.1).map { .init($0.0, "must not be null") }
  }

  func applied(to settings: Device.Settings) -> Device.Settings {
    Device.Settings(
      name: name.applied(to: settings.name) ?? settings.name, address: address.applied(to: settings.address),
      owner: owner.applied(to: settings.owner),
      timezone: timezone.applied(to: settings.timezone) ?? settings.timezone,
      metrics: metrics.applied(to: settings.metrics) ?? settings.metrics,
      hourlyLimit: hourlyLimit.applied(to: settings.hourlyLimit))
  }
}

/// The rule for what people call things: devices and their keys.
enum LabelRule {
  static let text = "must be 1 to 100 characters, without control characters"

  /// The label without space around it; nil if it is against the rule.
  static func parse(_ text: String) -> String? {
    let label = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let isRight =
      (1...100).contains(label.unicodeScalars.count)
      && !label.unicodeScalars.contains { $0.properties.generalCategory == .control }
    return isRight ? label : nil
  }
}
