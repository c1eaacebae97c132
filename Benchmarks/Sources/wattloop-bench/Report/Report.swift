import Foundation

/// A load's results, in the order they were added: a line for people, and a line of JSON.
struct Report {
  let name: String
  private(set) var fields: [(key: String, value: Double, digits: Int)] = []
  private(set) var latencies: [(name: String, latency: Latency)] = []
  /// What should not have happened, a sentence each.
  private(set) var failures: [String] = []
  /// Messages that the server has acknowledged and delivered in all; nil where that is not counted.
  var messages: (acknowledged: Int, delivered: Int)?

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
    add(key + "_p90_us", latency.percentile(90))
    add(key + "_p99_us", latency.percentile(99))
    add(key + "_p99_9_us", latency.percentile(99.9))
    add(key + "_max_us", latency.maximum)
    latencies.append((key, latency))
  }

  mutating func require(_ isMet: Bool, _ otherwise: @autoclosure () -> String) {
    if !isMet { failures.append(otherwise()) }
  }

  /// The value of that name. Short names stand for what a load is about: `p50`, `p90`, `p99`, `p99.9` and `max` for
  /// its first latency, `rate` for its first figure a second.
  func value(of name: String) -> Double? {
    if let field = fields.first(where: { $0.key == name || $0.key == name + "_us" }) { return field.value }
    if name == "rate" { return fields.first { $0.key.hasSuffix("_per_second") }?.value }
    guard let first = latencies.first?.name else { return nil }
    let key = "\(first)_\(name.replacingOccurrences(of: ".", with: "_"))_us"
    return fields.first { $0.key == key }?.value
  }

  var texts: [(key: String, text: String)] {
    fields.map { ($0.key, String(format: "%.\($0.digits)f", $0.value)) }
  }

  /// A table for people. The line of JSON has the output for itself, so that it can be piped.
  func print(json: Bool) {
    guard json else { return Swift.print(table) }
    FileHandle.standardError.write(Data((table + "\n").utf8))
    Swift.print(self.json)
  }

  private var table: String {
    let width = fields.map(\.key.count).max() ?? 0
    return
      ([name]
      + texts.map { "  " + $0.key.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.text })
      .joined(separator: "\n")
  }

  private var json: String {
    "{\"load\":\"\(name)\"," + texts.map { "\"\($0.key)\":\($0.text)" }.joined(separator: ",") + "}"
  }
}
