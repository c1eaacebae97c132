/// A metric in a request's body, read with all that is wrong with it.
struct MetricFields: Decodable, Sendable {
  /// nil if something is wrong.
  let metric: Metric?
  let errors: [Problem.FieldError]

  private enum CodingKeys: String, CodingKey { case name, kind, unit }

  init(from decoder: any Decoder) throws {
    guard var fields = try? FieldReader(decoder, keyedBy: CodingKeys.self) else {
      metric = nil
      errors = [.init(JSON.pointer(decoder.codingPath), "must be an object")]
      return
    }
    let name: String? = fields.require(.name, Metric.nameRule) { Metric.isName($0) ? $0 : nil }
    let kind = fields.require(.kind, "must be 'counter', 'interval' or 'power'", MetricKind.init(rawValue:))
    let unit = Self.unit(kind, &fields)
    errors = fields.errors
    if let name, let kind, let unit, errors.isEmpty {
      metric = Metric(name: name, kind: kind, unit: unit)
    } else {
      metric = nil
    }
  }

  /// Without a kind that is known any unit will do: the kind's own error is the one to mend.
  private static func unit(_ kind: MetricKind?, _ fields: inout FieldReader<CodingKeys>) -> EnergyUnit? {
    let units = kind?.units ?? EnergyUnit.allCases
    let rule = "must be " + units.map { "'\($0.rawValue)'" }.joined(separator: " or ")
    let unit = fields.change(.unit, rule) {
      EnergyUnit(rawValue: $0).flatMap { units.contains($0) ? $0 : nil }
    }
    return unit.applied(to: units.first) ?? units.first
  }
}

/// The list of them.
struct MetricListFields: Decodable, Sendable {
  let metrics: [Metric]
  let errors: [Problem.FieldError]

  private static let most = 16

  init(from decoder: any Decoder) throws {
    let pointer = JSON.pointer(decoder.codingPath)
    let fields = try decoder.singleValueContainer().decode([MetricFields].self)
    metrics = fields.compactMap(\.metric)
    // Of a list that is too long that is said, and not what is wrong with each of its thousands.
    guard (1...Self.most).contains(fields.count) else {
      errors = [.init(pointer, "must name 1 to \(Self.most) metrics")]
      return
    }
    errors = fields.flatMap(\.errors) + Self.repeated(fields, pointer)
  }

  private static func repeated(_ fields: [MetricFields], _ pointer: String) -> [Problem.FieldError] {
    var names: Set<String> = []
    return fields.enumerated().compactMap { place, field in
      guard let name = field.metric?.name, !names.insert(name).inserted else { return nil }
      return .init("\(pointer)/\(place)/name", "is the name of another metric of the list")
    }
  }
}
