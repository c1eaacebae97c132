/// Durations as settings write them: a whole number and a unit, such as `250ms`, `10s`, `15m`, `1h`, `30d`.
public enum TimeSpan {
  /// From the largest unit, so that `text` finds the shortest form.
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// nil if the text is no duration or passes 100 years.
  public static func parse(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = unsigned(digits, as: Int64.self) else { return nil }
    let suffix = text[digits.endIndex...]
    guard let unit = units.first(where: { $0.name == suffix }) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
    return overflow || product > 100 * 366 * 86_400_000 ? nil : .milliseconds(product)
  }

  static func text(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    let unit = units.first { milliseconds != 0 && milliseconds % $0.milliseconds == 0 }
    return unit.map { "\(milliseconds / $0.milliseconds)\($0.name)" } ?? "0s"
  }
}

extension Duration {
  /// Rounded down.
  public var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
