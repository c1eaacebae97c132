import GRDB

/// Reads a device's readings in pages: one metric after another, each in the order of time.
struct ReadingPage: Sendable {
  /// The place in the order after which a page begins.
  struct Place: Sendable, Equatable {
    /// Of the metric, in the device's order.
    let metric: Int
    let end: Int64

    var cursor: String { Cursor.encode("\(metric).\(end)") }

    static func decode(_ text: String?) throws(Problem) -> Place? {
      guard let key = try Cursor.decode(text) else { return nil }
      let parts = key.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let metric = Int(parts[0]), metric >= 0, let end = Int64(parts[1]), end < .max
      else { throw .validation("?cursor", "must be a cursor from an answer") }
      return Place(metric: metric, end: end)
    }
  }

  let device: MeteredDevice
  /// The one metric that is asked for; nil for all.
  let metric: Int?
  let range: TimeRange

  /// Gives the readings after a place to `body`, at most `limit`.
  /// - Returns: where the next page begins; nil at the end.
  func read(
    after place: Place?, limit: Int, _ db: Database, _ body: (Meter, Reading) -> Void
  ) throws -> Place? {
    var left = limit
    var last = place
    for number in metric.map({ $0...$0 }) ?? 0...max(0, device.meters.count - 1) {
      guard number >= place?.metric ?? 0, number < device.meters.count else { continue }
      let meter = device.meters[number]
      let after = place?.metric == number ? (place?.end ?? 0) + 1 : range.from
      // One more than asked for: it tells whether there is a next page.
      let statement = try RawStatement(Self.selection, db)
      statement.bind(meter.id, max(after, range.from), range.to, Int64(left) + 1)
      var hasMore = false
      try statement.eachRow { row in
        if left == 0 {
          hasMore = true
          return false
        }
        let reading = Reading(end: row.integer(0), start: row.optionalInteger(1), value: row.double(2))
        body(meter, reading)
        last = Place(metric: number, end: reading.end)
        left -= 1
        return true
      }
      if hasMore { return last }
    }
    return nil
  }

  private static let selection = """
    SELECT ends_at, starts_at, value FROM readings
    WHERE metric_id = ?1 AND ends_at >= ?2 AND ends_at < ?3 ORDER BY ends_at LIMIT ?4
    """
}

/// The forms in which readings leave.
enum ReadingFormat: Sendable {
  case json, ndjson, csv

  /// What `Accept` (RFC 9110 §12.5.1) asks for: of the three types, the one that it names with the highest weight. JSON
  /// where nothing else is asked for.
  init(accept: String?) {
    var best = (weight: 0.0, format: ReadingFormat.json)
    for range in (accept ?? "").split(separator: ",") {
      guard let format = ReadingFormat(essence: MediaType.essence(String(range))) else { continue }
      let weight = Self.weight(range)
      if weight > best.weight { best = (weight, format) }
    }
    self = best.format
  }

  private init?(essence: String?) {
    switch essence {
    case "application/json": self = .json
    case "application/x-ndjson", "application/ndjson": self = .ndjson
    case "text/csv": self = .csv
    default: return nil
    }
  }

  private static func weight(_ range: Substring) -> Double {
    for parameter in range.split(separator: ";").dropFirst() {
      let text = parameter.drop { $0 == " " }
      if text.lowercased().hasPrefix("q=") { return Double(text.dropFirst(2)) ?? 0 }
    }
    return 1
  }

  var contentType: String {
    switch self {
    case .json: "application/json"
    case .ndjson: "application/x-ndjson"
    case .csv: "text/csv; charset=utf-8; header=present"
    }
  }

  static let csvHeader = Array("device_id,metric,start,end,value\r\n".utf8)
}

extension JSONWriter {
  /// A measurement object.
  mutating func reading(_ reading: Reading, of meter: Meter, device: Int64) {
    raw("{\"device_id\":")
    id(.device, device)
    raw(",\"metric\":")
    string(meter.name)
    if let start = reading.start {
      raw(",\"start\":\"")
      Timestamp(milliseconds: start).append(to: &bytes)
      raw("\"")
    }
    raw(",\"end\":\"")
    Timestamp(milliseconds: reading.end).append(to: &bytes)
    raw("\",\"value\":")
    double(reading.value)
    raw("}")
  }

  /// The same as a row of CSV. None of the fields can hold what needs quotes.
  mutating func csvRow(_ reading: Reading, of meter: Meter, device: Int64) {
    EntityID.device.append(device, to: &bytes)
    raw(",")
    bytes.append(contentsOf: meter.name.utf8)
    raw(",")
    if let start = reading.start { Timestamp(milliseconds: start).append(to: &bytes) }
    raw(",")
    Timestamp(milliseconds: reading.end).append(to: &bytes)
    raw(",")
    double(reading.value)
    raw("\r\n")
  }
}
