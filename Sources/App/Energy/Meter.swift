/// A metric of a device, as the arithmetic needs it.
struct Meter: Equatable, Sendable {
  let id: Int64
  let name: String
  let kind: MetricKind
  let unit: EnergyUnit
  /// The longest span that a reading has named by its start, milliseconds.
  var longest: Int64
}
