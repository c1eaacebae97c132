/// The fields of one reading, from whatever format they came, on their way to an `IncomingReading`.
struct ReadingFields {
  var device: Int64?
  var metric: String?
  var timestamp: Int64?
  var start: Int64?
  var end: Int64?
  var value: Double?
  /// The first thing that is wrong with them.
  var complaint: String?

  /// How far a device's clock may be ahead.
  private static let future: Int64 = 5 * 60_000
  static let metricBytes = 64

  mutating func complain(_ text: String) { if complaint == nil { complaint = text } }

  /// A time, which must be RFC 3339.
  mutating func time(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Int64? {
    guard let time = Timestamp(bytes)?.milliseconds else {
      complain("\(name) is no RFC 3339 date-time with an offset")
      return nil
    }
    if time < ZoneRules.supported.lowerBound { complain("\(name) is before 1970") }
    return time
  }

  mutating func takeMetric(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count <= Self.metricBytes else { return complain("metric is too long") }
    metric = String(decoding: bytes, as: UTF8.self)
  }

  mutating func takeDevice(_ bytes: UnsafeRawBufferPointer) {
    // An id that cannot be is one that is not there: row 0 never is.
    device = EntityID.device.parse(bytes) ?? 0
  }

  mutating func takeValue(_ bytes: UnsafeRawBufferPointer) {
    value = DecimalNumber.parse(bytes)
    if value == nil { complain("value is not a number") }
  }

  /// - Parameter path: the device that the request's path names.
  func reading(_ index: Int, path: Int64?, now: Int64) -> Result<IncomingReading, Rejection> {
    if let complaint { return .failure(Rejection(index, .validation, complaint)) }
    guard let device = path ?? device else {
      return .failure(Rejection(index, .validation, "device_id is missing"))
    }
    if let path, let named = self.device, named != path {
      return .failure(Rejection(index, .validation, "device_id is not the device of the path"))
    }
    guard let value else { return .failure(Rejection(index, .validation, "value is missing")) }
    guard let end = end ?? timestamp else {
      return .failure(Rejection(index, .validation, "timestamp, or start and end, is missing"))
    }
    if let timestamp, timestamp != end {
      return .failure(Rejection(index, .validation, "timestamp and end differ"))
    }
    if let start, start >= end {
      return .failure(Rejection(index, .validation, "start is not before end"))
    }
    if let start, end - start > longestSpan {
      return .failure(Rejection(index, .validation, "start is more than 400 days before end"))
    }
    guard end <= now + Self.future else {
      return .failure(Rejection(index, .inFuture, "the time is more than 5 minutes in the future"))
    }
    let reading = Reading(end: end, start: start, value: value)
    return .success(IncomingReading(index: index, device: device, metric: metric, reading: reading))
  }
}
