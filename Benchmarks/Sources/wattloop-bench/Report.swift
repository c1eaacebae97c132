import Foundation

/// A run's results, in the order they were added: a line for people, and a line of JSON.
struct Report {
  private let name: String
  private var fields: [(key: String, value: Double, digits: Int)] = []

  init(_ name: String) { self.name = name }

  mutating func add(_ key: String, _ value: Double, digits: Int = 1) { fields.append((key, value, digits)) }
  mutating func add(_ key: String, _ value: Int) { fields.append((key, Double(value), 0)) }

  mutating func add(_ key: String, _ spread: Spread, digits: Int) {
    add(key, spread.median, digits: digits)
    add(key + "_min", spread.least, digits: digits)
    add(key + "_max", spread.greatest, digits: digits)
  }

  mutating func add(_ key: String, _ latency: Latency) {
    add(key + "_p50_us", latency.percentile(50))
    add(key + "_p99_us", latency.percentile(99))
    add(key + "_p99_9_us", latency.percentile(99.9))
    add(key + "_max_us", latency.maximum)
  }

  func print(json: Bool) {
    let texts = fields.map { ($0.key, String(format: "%.\($0.digits)f", $0.value)) }
    let line = name + ": " + texts.map { "\($0.0) \($0.1)" }.joined(separator: "  ")
    guard json else { return Swift.print(line) }
    FileHandle.standardError.write(Data((line + "\n").utf8))
    Swift.print("{\"load\":\"\(name)\"," + texts.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}")
  }
}

/// What a long run is about, for the one who waits.
enum Progress {
  static func tell(_ step: String) { FileHandle.standardError.write(Data((step + "\n").utf8)) }
}
