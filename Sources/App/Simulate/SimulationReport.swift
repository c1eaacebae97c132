import Foundation

/// How a simulation went.
public struct SimulationReport {
  private let tally: SimulationTally
  private let repeats: Int
  private let milliseconds: UInt64
  private let lag: UInt64
  /// Why the program does not end with 0; nil if every reading is stored.
  public let failure: ExitFailure?

  /// - Parameters:
  ///   - milliseconds: from the first reading to the last answer.
  ///   - lag: of the first reading that was due and not sent, milliseconds.
  ///   - failure: what ended the run early.
  ///   - leavesRest: a file was not sent to its end.
  init(
    tally: SimulationTally, repeats: Int, milliseconds: UInt64, lag: UInt64, failure: ExitFailure?,
    leavesRest: Bool
  ) {
    self.tally = tally
    self.repeats = repeats
    self.milliseconds = milliseconds
    self.lag = lag
    self.failure = failure ?? Self.shortcoming(tally, leavesRest)
  }

  private static func shortcoming(_ tally: SimulationTally, _ leavesRest: Bool) -> ExitFailure? {
    if tally.unanswered > 0 { return .faults("\(tally.unanswered) readings are without an answer") }
    if leavesRest { return .faults("stopped before the end of the file") }
    if tally.rejected > 0 { return .faults("\(tally.rejected) readings were rejected") }
    return nil
  }

  /// A table, and below it the first rejections.
  public var text: String {
    let rows = [
      ("readings sent", "\(tally.sent)"), ("accepted", "\(tally.accepted)"),
      ("duplicates", "\(tally.duplicates)"), ("corrected", "\(tally.corrected)"),
      ("rejected", "\(tally.rejected)"), ("without an answer", "\(tally.unanswered)"),
      ("requests", "\(tally.requests)"), ("repeated requests", "\(repeats)"),
      ("duration", Self.decimal(Double(milliseconds) / 1000) + " s"),
      ("readings/s", Self.decimal(Double(tally.sent) * 1000 / Double(max(1, milliseconds)))),
      ("lag at the end", Self.time(lag * 1000)),
      (
        "answer time",
        "p50 \(Self.time(tally.times.percentile(0.5))), p99 \(Self.time(tally.times.percentile(0.99))), "
          + "max \(Self.time(tally.times.longest))"
      ),
    ]
    var lines = rows.map { $0.0.padding(toLength: 19, withPad: " ", startingAt: 0) + $0.1 }
    lines += tally.rejections.map { "\($0.origin): \($0.detail) (\($0.type))".printable }
    let unnamed = tally.rejected - tally.rejections.count
    if unnamed > 0 { lines.append("and \(unnamed) more") }
    return lines.joined(separator: "\n")
  }

  /// One line of it while it runs.
  /// - Parameters:
  ///   - rate: readings sent in the last second.
  ///   - lag: milliseconds.
  static func progress(_ tally: SimulationTally, rate: Int, lag: UInt64) -> String {
    "\(tally.sent) sent, \(rate)/s, \(tally.accepted) accepted, lag \(time(lag * 1000)), "
      + "p50 \(time(tally.times.percentile(0.5))), p99 \(time(tally.times.percentile(0.99)))"
  }

  private static func time(_ microseconds: UInt64) -> String {
    microseconds < 10_000_000
      ? decimal(Double(microseconds) / 1000) + " ms" : decimal(Double(microseconds) / 1_000_000) + " s"
  }

  private static func decimal(_ value: Double) -> String { String(format: "%.1f", value) }
}

extension String {
  /// Without control characters: what a server says goes to a terminal.
  var printable: String {
    String(String.UnicodeScalarView(unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }
}
