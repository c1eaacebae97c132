import Reactor

/// The answer of `/consumption`.
enum ConsumptionPage {
  /// - Parameter meters: how many were summed; full coverage is the time of all of them.
  static func response(_ query: ConsumptionQuery, _ sums: [Consumption.Sum], meters: Int) -> Response {
    var json = JSONWriter()
    json.bytes.reserveCapacity(100 + sums.count * 170)
    json.raw("{\"unit\":\"kWh\",\"granularity\":")
    json.string(query.granularity.rawValue)
    json.raw(",\"timezone\":")
    json.string(query.zone.identifier)
    json.raw(",\"items\":[")
    for (index, bucket) in query.buckets.enumerated() {
      if index > 0 { json.raw(",") }
      json.bucket(bucket, sums[index], meters: Int64(meters))
    }
    json.raw("]}")
    return Response(.ok, body: json.bytes, contentType: "application/json")
  }
}

extension JSONWriter {
  /// A gap is null: zero would say that nothing was used.
  fileprivate mutating func bucket(_ bucket: CalendarBucket, _ sum: Consumption.Sum, meters: Int64) {
    raw("{\"start\":\"")
    Timestamp(milliseconds: bucket.start).append(to: &bytes)
    raw("\",\"end\":\"")
    Timestamp(milliseconds: bucket.end).append(to: &bytes)
    raw("\",\"label\":\"")
    bucket.appendLabel(to: &bytes)
    raw("\",\"value\":")
    if sum.covered == 0 { raw("null") } else { kilowattHours(sum.energy) }
    raw(",\"coverage\":")
    coverage(sum.covered, of: (bucket.end - bucket.start) * max(1, meters))
    raw(",\"revision\":")
    integer(sum.revision)
    raw("}")
  }

  /// Millionths, rounded down: what is not whole never reads as 1.
  mutating func coverage(_ covered: Int64, of length: Int64) {
    if covered >= length { return raw("1") }
    if covered <= 0 || length <= 0 { return raw("0") }
    double(Double(max(1, Int64(Double(covered) / Double(length) * 1e6))) / 1e6)
  }
}
