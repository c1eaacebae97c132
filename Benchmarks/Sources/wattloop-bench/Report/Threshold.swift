import ArgumentParser
import Foundation

/// What a figure must be: `p99<20ms`, `errors==0`, `rate>=10000`, `ack_p99<=0.5s`, `bytes_per_connection<8KiB`.
struct Threshold: ExpressibleByArgument {
  private static let comparisons: [(sign: String, holds: @Sendable (Double, Double) -> Bool)] = [
    ("<=", { $0 <= $1 }), (">=", { $0 >= $1 }), ("==", { $0 == $1 }), ("<", { $0 < $1 }), (">", { $0 > $1 }),
  ]
  /// Times are microseconds in a report, and memory is bytes.
  private static let units: [String: Double] = [
    "": 1, "us": 1, "ms": 1000, "s": 1_000_000, "b": 1, "kib": 1024, "mib": 1_048_576, "k": 1000,
    "m": 1_000_000,
  ]

  let text: String
  /// Of the figure, as `Report.value(of:)` takes it.
  let name: String
  private let limit: Double
  private let holds: @Sendable (Double, Double) -> Bool
  private let isTime: Bool

  init?(argument: String) {
    let text = argument.filter { !$0.isWhitespace }
    guard let comparison = Self.comparisons.first(where: { text.contains($0.sign) }),
      let place = text.range(of: comparison.sign)
    else { return nil }
    let value = text[place.upperBound...]
    let number = value.prefix { $0.isNumber || $0 == "." }
    guard place.lowerBound > text.startIndex, let limit = Double(number),
      let unit = Self.units[value[number.endIndex...].lowercased()]
    else { return nil }
    self.text = argument
    name = String(text[..<place.lowerBound])
    self.limit = limit * unit
    holds = comparison.holds
    isTime = value.hasSuffix("s")
  }

  /// A value of the figure for people.
  func text(of value: Double) -> String {
    isTime ? LiveLine.time(value) : String(format: "%.6g", value)
  }

  func isMet(by value: Double) -> Bool { holds(value, limit) }
}

/// How the reports of a run stand against its thresholds.
struct Verdicts {
  struct Verdict {
    let text: String
    let load: String
    let value: String
    let isMet: Bool
  }

  let all: [Verdict]

  /// Every report that has the figure must meet the threshold; one that no report has is a mistake in its name.
  init(_ thresholds: [Threshold], _ reports: [Report]) throws {
    all = try thresholds.flatMap { threshold in
      let found = reports.compactMap { report in
        report.value(of: threshold.name).map {
          Verdict(
            text: threshold.text, load: report.name, value: threshold.text(of: $0),
            isMet: threshold.isMet(by: $0))
        }
      }
      guard !found.isEmpty else {
        let names = reports.flatMap { $0.fields.map(\.key) }.joined(separator: ", ")
        throw ValidationError("--slo: no figure is called '\(threshold.name)'; there are \(names)")
      }
      return found
    }
  }

  var areMet: Bool { all.allSatisfy(\.isMet) }

  func show() {
    for verdict in all {
      let line =
        "\(verdict.isMet ? "met   " : "MISSED") \(verdict.text): \(verdict.load) has \(verdict.value)\n"
      FileHandle.standardError.write(Data(line.utf8))
    }
  }
}
