/// Sizes as settings write them: bytes, or a whole number of `KiB`, `MiB` or `GiB`.
enum ByteSize {
  private static let units: [(name: String, bytes: Int)] = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1),
  ]

  static func parse(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = unsigned(digits, as: Int.self) else { return nil }
    let suffix = text[digits.endIndex...]
    guard let unit = units.first(where: { $0.name == suffix }) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
    return overflow ? nil : product
  }

  static func text(_ size: Int) -> String {
    let unit = units.first { size != 0 && size % $0.bytes == 0 }
    return unit.map { "\(size / $0.bytes)\($0.name)" } ?? "0"
  }
}
