/// Readings that come line by line, in pieces of any size: NDJSON or CSV.
struct ReadingLines: Sendable {
  enum Format: Sendable {
    case ndjson
    case csv(CSVReadings)
  }

  private var format: Format
  private var splitter = LineSplitter()

  init(_ format: Format) { self.format = format }

  /// - Throws: `validation` if a CSV has no header.
  mutating func take(_ piece: [UInt8], into batch: inout ReadingBatch) throws(Problem) {
    var failure: Problem?
    splitter.take(
      piece, line: { line in Self.read(line, &format, &batch, &failure) },
      tooLong: { batch.reject(.tooLarge, "the line is too long") })
    if let failure { throw failure }
  }

  mutating func end(into batch: inout ReadingBatch) throws(Problem) {
    var failure: Problem?
    splitter.end { line in Self.read(line, &format, &batch, &failure) }
    if let failure { throw failure }
  }

  private static func read(
    _ line: UnsafeRawBufferPointer, _ format: inout Format, _ batch: inout ReadingBatch,
    _ failure: inout Problem?
  ) {
    switch format {
    case .ndjson: JSONReadings.line(line, into: &batch)
    case .csv(var readings):
      if failure != nil { return }
      do throws(Problem) { try readings.line(line, into: &batch) } catch { failure = error }
      format = .csv(readings)
    }
  }
}
