/// One value of a metric, as it was sent. Times are milliseconds since 1970.
struct Reading: Equatable, Sendable {
  let end: Int64
  /// Only where the sender said it.
  var start: Int64?
  /// In the metric's unit.
  let value: Double
}

/// How a metric's readings become spans: what the kinds have in common.
///
/// Readings come in the order of their ends. The first is the metric's very first; or it is there for what it says of the
/// second, and its own span lies before all that is asked for.
enum Spans {
  /// A reading without a start is of the time since the one before it. The very first has none before it: its quarter is
  /// taken, up to its end.
  static func intervals(_ readings: [Reading], unit: EnergyUnit) -> [Span] {
    var previous: Int64?
    return readings.map { reading in
      let known = previous.flatMap { reading.end - $0 <= longestSpan ? $0 : nil }
      let start = reading.start ?? known ?? Quarter.start(Quarter.number(at: reading.end - 1))
      previous = reading.end
      return Span(start, reading.end, MicrowattHours(reading.value, unit))
    }
  }

  static func power(_ readings: [Reading]) -> [Span] {
    zip(readings, readings.dropFirst()).compactMap(power)
  }

  /// Between two moments the power goes in a straight line; over more than a quarter of an hour nobody knows.
  private static func power(_ first: Reading, _ second: Reading) -> Span? {
    guard second.end - first.end <= Quarter.length else { return nil }
    return Span(first.end, second.end, from: first.value, to: second.value)
  }
}
