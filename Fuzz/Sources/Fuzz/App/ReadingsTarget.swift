@testable import App
@testable import Reactor

/// Readings as CSV, NDJSON and JSON: every line has one outcome, any chunking gives the same outcomes, and what is
/// taken is a reading that the store may have.
enum ReadingsTarget: FuzzTarget {
  private struct Outcome: Equatable {
    var readings: [String] = []
    var rejected: [Rejection] = []
    var count = 0
    /// A CSV without a header is refused as a whole. What is taken of a body before that is nothing.
    var isRefused = false
  }

  private static let now = Timestamp(milliseconds: 1_795_460_400_000)

  static func run(_ bytes: UnsafeRawBufferPointer) {
    for format in [ReadingLines.Format.ndjson, .csv(CSVReadings())] {
      let outcomes = cuts(of: bytes).map { lines(bytes, $0, format) }
      precondition(outcomes.allSatisfy { $0 == outcomes[0] }, "the cuts make a difference: \(outcomes)")
    }
    let split = cuts(of: bytes).map { splitLines(bytes, $0) }
    precondition(split.allSatisfy { $0 == split[0] }, "the cuts make a difference: \(split)")
    parse([UInt8](bytes))
    withExactCopy(bytes) { copy in
      let copy = UnsafeRawBufferPointer(copy)
      comeBack(copy)
      readTime(copy)
      readNumber(copy)
    }
  }

  private static func lines(
    _ bytes: UnsafeRawBufferPointer, _ cuts: [Int], _ format: ReadingLines.Format
  ) -> Outcome {
    var lines = ReadingLines(format)
    var batch = ReadingBatch(device: nil, now: now)
    do throws(Problem) {
      var start = 0
      for end in cuts {
        try lines.take([UInt8](bytes[start..<end]), into: &batch)
        start = end
      }
      try lines.end(into: &batch)
    } catch {
      return Outcome(isRefused: true)
    }
    return outcome(of: batch)
  }

  /// Lines of 20 bytes at most; nil for a longer one. Those of `lines` are beyond what an input has.
  private static func splitLines(_ bytes: UnsafeRawBufferPointer, _ cuts: [Int]) -> [[UInt8]?] {
    var splitter = LineSplitter(longest: 20)
    var lines: [[UInt8]?] = []
    var start = 0
    for end in cuts {
      splitter.take(
        [UInt8](bytes[start..<end]),
        line: { line in
          precondition(line.count <= 20 && !line.contains(UInt8(ascii: "\n")))
          lines.append([UInt8](line))
        }, tooLong: { lines.append(nil) })
      start = end
    }
    splitter.end { lines.append([UInt8]($0)) }
    return lines
  }

  private static func parse(_ body: [UInt8]) {
    var batch = ReadingBatch(device: nil, now: now)
    do throws(Problem) { try JSONReadings.parse(body, into: &batch) } catch {
      return precondition(batch.readings.isEmpty && batch.report.rejectedCount == 0, "a part was taken")
    }
    _ = outcome(of: batch)
  }

  private static func outcome(of batch: ReadingBatch) -> Outcome {
    var indices = Set(batch.readings.map(\.index))
    precondition(indices.count == batch.readings.count, "two readings with one index")
    for rejection in batch.report.rejected {
      precondition(indices.insert(rejection.index).inserted, "a reading was taken and rejected")
    }
    for incoming in batch.readings {
      let reading = incoming.reading
      precondition(reading.end >= 0 && reading.end <= now.milliseconds + 300_000)
      precondition(reading.start.map { $0 < reading.end && reading.end - $0 <= longestSpan } ?? true)
    }
    return Outcome(
      readings: batch.readings.map { "\($0)" }, rejected: batch.report.rejected,
      count: batch.readings.count + batch.report.rejectedCount)
  }

  // MARK: The parts

  /// A row's cells, quoted as RFC 4180 quotes, are the same cells.
  private static func comeBack(_ row: UnsafeRawBufferPointer) {
    let (comma, quote) = (UInt8(ascii: ","), UInt8(ascii: "\""))
    guard let cells = CSVReadings.cells(row, comma) else { return }
    var quoted: [UInt8] = []
    for (index, cell) in cells.enumerated() {
      if index > 0 { quoted.append(comma) }
      quoted.append(quote)
      for byte in cell { quoted += byte == quote ? [quote, quote] : [byte] }
      quoted.append(quote)
    }
    precondition(quoted.withUnsafeBytes { CSVReadings.cells($0, comma) } == cells)
  }

  /// What a time means is written and read back as the same.
  private static func readTime(_ bytes: UnsafeRawBufferPointer) {
    // Between the years 1 and 9999: an offset leads beyond them.
    let written: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999
    guard let time = Timestamp(bytes), written ~= time.milliseconds else { return }
    precondition(Timestamp(time.text) == time)
  }

  /// As the standard library reads the number; it takes more forms.
  private static func readNumber(_ bytes: UnsafeRawBufferPointer) {
    guard let number = DecimalNumber.parse(bytes) else { return }
    let judged = Double(String(decoding: bytes, as: UTF8.self))
    precondition(judged == number, "\(number) is \(judged as Any)")
  }
}
