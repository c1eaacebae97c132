import Testing

@testable import App

/// What became of one JSON text: the readings, and the rejections as `index type: detail`.
private func parse(_ text: String, device: Int64? = 1, now: Int64 = 2_000_000_000_000) throws -> (
  [IncomingReading], [String]
) {
  var batch = ReadingBatch(device: device, now: Timestamp(milliseconds: now))
  try JSONReadings.parse(Array(text.utf8), into: &batch)
  return (batch.readings, batch.report.rejected.map { "\($0.index) \($0.type): \($0.detail)" })
}

@Suite struct `Readings in JSON` {
  @Test(arguments: [
    (#"{"timestamp":"2026-01-01T00:15:00Z","value":1}"#, at(15, 1)),
    (#"{"end":"2026-01-01T00:15:00Z","value":1.5e0}"#, at(15, 1.5)),
    (
      #" [ {"start":"2026-01-01T01:00:00+01:00","end":"2026-01-01T00:15:00Z","value":0} ] "#,
      at(15, 0, from: 0)
    ),
    (#"{"start":"2026-01-01T00:00:00Z","timestamp":"2026-01-01T00:15:00Z","value":-1}"#, at(15, -1, from: 0)),
    (#"{"v\u0061lue":2,"\u0065nd":"2026-01-01T00:15:0\u0030Z"}"#, at(15, 2)),
    (#"{"\\value":1,"\\\\":1,"value":2,"end":"2026-01-01T00:15:00Z","\"":3}"#, at(15, 2)),
    (#"{"value":1,"value":2,"end":"2026-01-01T00:15:00Z"}"#, at(15, 2)),
    (
      #"{"start":null,"metric":null,"value":1,"end":"2026-01-01T00:15:00Z","x":{"value":[9]},"y":[1]}"#,
      at(15, 1)
    ),
    (#"{"value":9223372036854775808,"end":"2026-01-01T00:15:00Z"}"#, at(15, 9_223_372_036_854_775_808)),
    (#"{"value":1e400,"end":"2026-01-01T00:15:00Z"}"#, at(15, .infinity)),
    (#"{"value":1e308,"end":"2026-01-01T00:15:00Z"}"#, at(15, 1e308)),
    (#"{"value":-1e-400,"end":"2026-01-01T00:15:00Z"}"#, at(15, -0.0)),
    (#"{"value":5e-324,"end":"2026-01-01T00:15:00.0009Z"}"#, at(15, .leastNonzeroMagnitude)),
    (#"{"value":1,"end":"1970-01-01T00:00:00Z"}"#, Reading(end: 0, value: 1)),
    (#"{"value":1,"end":"2033-05-18T03:38:20.000Z"}"#, Reading(end: 2_000_000_300_000, value: 1)),
  ]) func `are taken`(_ text: String, _ expected: Reading) throws {
    let (readings, rejected) = try parse(text)
    #expect(readings.map(\.reading) == [expected] && rejected.isEmpty)
    #expect(readings.map(\.device) == [1] && readings.first?.metric == nil)
  }

  private static let validation = "0 \(ProblemKind.validation.type): "

  @Test(arguments: [
    (#"{}"#, "value is missing"), ("5", "the element is no object"), ("null", "the element is no object"),
    (#""x""#, "the element is no object"), ("[[]]", "the element is no object"),
    ("[-0.5]", "the element is no object"),
    (#"{"value":"1","end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (#"{"value":"NaN","end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (#"{"value":null,"end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (#"{"value":[1],"end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (#"{"value":{},"end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (#"{"value":true,"end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (#"{"value":"x","value":1,"end":"2026-01-01T00:15:00Z"}"#, "value is not a number"),
    (
      #"{"value":1.00000000000000000000000000000000000000000000000000000000000000001,"end":"2026-01-01T00:15:00Z"}"#,
      "value is not a number"
    ),
    (#"{"end":"2026-01-01T00:15:00Z"}"#, "value is missing"),
    (#"{"value":1}"#, "timestamp, or start and end, is missing"),
    (#"{"value":1,"start":"2026-01-01T00:15:00Z"}"#, "timestamp, or start and end, is missing"),
    (#"{"value":1,"end":1767226500000}"#, "end is not a string"),
    (#"{"value":1,"timestamp":["2026-01-01T00:15:00Z"]}"#, "timestamp is not a string"),
    (#"{"value":1,"end":"2026-01-01 00:15"}"#, "end is no RFC 3339 date-time with an offset"),
    (#"{"value":1,"end":"2026-01-01T00:15:00"}"#, "end is no RFC 3339 date-time with an offset"),
    (#"{"value":1,"end":"2026-02-30T00:15:00Z"}"#, "end is no RFC 3339 date-time with an offset"),
    (#"{"value":1,"end":""}"#, "end is no RFC 3339 date-time with an offset"),
    (#"{"value":1,"end":"2026-01-01T00:15:00Z","start":"2026-01-01T00:15:00Z"}"#, "start is not before end"),
    (
      #"{"value":1,"end":"2026-01-01T00:15:00Z","start":"2026-01-01T00:15:00.001Z"}"#,
      "start is not before end"
    ),
    (
      #"{"value":1,"end":"2026-01-01T00:15:00Z","timestamp":"2026-01-01T00:15:00.001Z"}"#,
      "timestamp and end differ"
    ),
    (
      #"{"value":1,"end":"2026-01-01T00:00:00Z","start":"2024-11-26T23:59:59.999Z"}"#,
      "start is more than 400 days before end"
    ),
    (#"{"value":1,"end":"1969-12-31T23:59:59.999Z"}"#, "end is before 1970"),
    (#"{"value":1,"end":"0001-01-01T00:00:00+23:59"}"#, "end is before 1970"),
    (#"{"value":1,"end":"1970-01-01T00:00:00Z","start":"1969-12-31T23:45:00Z"}"#, "start is before 1970"),
    (
      #"{"value":1,"end":"2026-01-01T00:15:00Z","device_id":"d2"}"#, "device_id is not the device of the path"
    ),
    (#"{"value":1,"end":"2026-01-01T00:15:00Z","device_id":1}"#, "device_id is not a string"),
    (#"{"value":1,"end":"2026-01-01T00:15:00Z","metric":7}"#, "metric is not a string"),
    (
      #"{"value":1,"end":"2026-01-01T00:15:00Z","metric":"\#(String(repeating: "m", count: 65))"}"#,
      "metric is too long"
    ),
  ]) func `are refused one by one`(_ text: String, _ detail: String) throws {
    let (readings, rejected) = try parse(text)
    #expect(readings.isEmpty && rejected == [Self.validation + detail])
  }

  @Test(arguments: [
    "", " ", "[", "[1", "[1,]", "{", #"{"value":1,}"#, #"{"value":-}"#, #"{"value":01}"#, #"{"value":1.}"#,
    #"{"value":.5}"#,
    #"{"value":+1}"#, #"{"value":NaN}"#, #"{"value":Infinity}"#, #"{"value":1e}"#, #"{value:1}"#, "{}{}",
    "[] []", "nul",
    #"[{"value":1,"end":"2026-01-01T00:15:00Z"},"#, #"{"a":"\ud800"}"#, "{\"a\":\"\t\"}", "\u{FEFF}{}",
    String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
    String(repeating: "[", count: 1_000_000), String(repeating: #"{"a":"#, count: 100_000),
  ]) func `are malformed as a whole`(_ text: String) {
    var batch = ReadingBatch(device: 1)
    #expect(throws: Problem.self) { try JSONReadings.parse(Array(text.utf8), into: &batch) }
    #expect(batch.readings.isEmpty && batch.report.rejectedCount == 0)
  }

  @Test func `may be none`() throws {
    let (readings, rejected) = try parse(" [ ] ")
    #expect(readings.isEmpty && rejected.isEmpty)
  }

  @Test func `are in the future from five minutes and a millisecond on`() throws {
    let (readings, rejected) = try parse(
      #"[{"value":1,"end":"2033-05-18T03:38:20.001Z"},{"value":1,"end":"2033-05-18T03:38:20Z"}]"#)
    #expect(readings.map(\.index) == [1])
    #expect(rejected == ["0 \(ProblemKind.inFuture.type): the time is more than 5 minutes in the future"])
  }

  @Test func `name their devices where the path does not`() throws {
    let time = #""value":1,"end":"2026-01-01T00:15:00Z""#
    let (readings, rejected) = try parse(
      #"[{\#(time),"device_id":"d7","metric":"a"},{\#(time)},{\#(time),"device_id":"d01"},{\#(time),"device_id":"\u00647"}]"#,
      device: nil)
    #expect(readings.map(\.device) == [7, 0, 7] && readings.map(\.metric) == ["a", nil, nil])
    #expect(rejected == ["1 \(ProblemKind.validation.type): device_id is missing"])
  }

  @Test func `name no more than a thousand of those that were refused`() throws {
    var batch = ReadingBatch(device: 1)
    try JSONReadings.parse(Array(("[" + String(repeating: "{},", count: 4999) + "{}]").utf8), into: &batch)
    #expect(batch.report.rejectedCount == 5000 && batch.report.rejected.map(\.index) == Array(0..<1000))
  }
}
