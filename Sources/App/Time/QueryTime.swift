extension Timestamp {
  /// Reads a time from a query: an RFC 3339 date-time, or a local date `2026-03-29`, which is the first instant
  /// of that day in the zone. nil if it is neither.
  init?(query text: String, in rules: ZoneRules) {
    if text.utf8.count == 10 {
      // Local midnight, read as if it were UTC.
      guard let midnight = Timestamp(text + "T00:00:00Z") else { return nil }
      self.init(milliseconds: rules.firstInstant(atLocal: midnight.milliseconds))
    } else {
      self.init(Self.withPlus(text))
    }
  }

  /// A `+` that was not percent-encoded has become a space: `2026-03-29T03:00:00 02:00`.
  private static func withPlus(_ text: String) -> String {
    var bytes = Array(text.utf8)
    let sign = bytes.count - 6
    guard sign > 0, bytes[sign] == UInt8(ascii: " ") else { return text }
    bytes[sign] = UInt8(ascii: "+")
    return String(decoding: bytes, as: UTF8.self)
  }
}
