import Foundation
import Testing

@testable import App

/// Random bytes and damaged texts: nothing traps, and every element has exactly one outcome, or nothing was taken at all.
@Suite struct `Damaged readings` {
  private static let whole: [String] = [
    #"[{"device_id":"d1","timestamp":"2026-01-01T00:15:00Z","value":1.5},{"device_id":"d1","value":2}]"#,
    #"{"device_id":"d1","metric":"energy","start":"2026-01-01T00:00:00+02:00","end":"2026-01-01T00:15:00.123Z","value":-1e3}"#,
    #"[1,"two",null,[],{"value":1e400,"end":"1970-01-01T00:00:00Z","device_id":"\u00641"},{"a":{"b":[{}]}}]"#,
    #"[{"device_id":"d1","end":"2026-01-01T00:15:00Z","value":0},{"device_id":"d1","end":"2026-01-01T00:15:00Z","value":0},{}]"#,
  ]
  private static let pieces: [String] = [
    "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u0064", "\\ud83d", "null", "1e999", "-", "0",
    "9999999999999999999", "\n", "\r",
    "\u{00}", "\u{FEFF}", #""value":1"#, #""end":"2026-01-01T00:30:00Z""#, "é", "T24:00", "+99:99", ";", "d1",
  ]

  private static func damage(_ text: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = text
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 1: bytes.insert(contentsOf: pieces.randomElement(using: &random)!.utf8, at: place)
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + .random(in: 0...6, using: &random)))
      case 3: if place < bytes.count { bytes[place] = .random(in: 0...255, using: &random) }
      default: bytes = Array(bytes[..<place]) + bytes[max(0, place - 9)...]
      }
    }
    return bytes
  }

  private static func noise(_ random: inout SeededGenerator) -> [UInt8] {
    (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  @Test func `in one JSON text are malformed together, or judged one by one`() async throws {
    let fixture = try EnergyFixture()
    _ = try await fixture.meter(limit: 1)
    var random = SeededGenerator(seed: 11)
    var compared = 0
    for round in 0..<6000 {
      let text = Array(Self.whole.randomElement(using: &random)!.utf8)
      let body = round % 10 == 0 ? Self.noise(&random) : Self.damage(text, &random)
      var batch = ReadingBatch(device: nil)
      do throws(Problem) { try JSONReadings.parse(body, into: &batch) } catch {
        #expect(error.kind == .malformed && batch.readings.isEmpty && batch.report.rejectedCount == 0)
        continue
      }
      // Foundation refuses some numbers that are too great for it.
      let parsed = try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
      guard let parsed else { continue }
      compared += 1
      let elements = (parsed as? [Any])?.count ?? 1
      #expect(
        batch.readings.count + batch.report.rejectedCount == elements,
        "\(String(decoding: body, as: UTF8.self))")
      var report = batch.report
      report.add(try await fixture.take(batch.takeReadings(), onlyFor: nil))
      #expect(report.accepted + report.duplicates + report.corrected + report.rejectedCount == elements)
    }
    #expect(compared > 1000)
  }

  @Test(arguments: [true, false])
  func `in lines are judged line by line, however these are cut`(_ isCSV: Bool) throws {
    var random = SeededGenerator(seed: isCSV ? 12 : 13)
    for _ in 0..<1500 {
      var lines = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        Self.damage(
          Array((isCSV ? "d1,2026-01-01T00:15:00Z,\"1.5\"" : Self.whole[1]).utf8), &random
        ).filter { $0 != UInt8(ascii: "\n") }
      }
      if isCSV { lines.insert(Array("device_id,end,value".utf8), at: 0) }
      let body = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
      let format = isCSV ? ReadingLines.Format.csv(CSVReadings()) : .ndjson
      var whole = ReadingBatch(device: nil)
      var reader = ReadingLines(format)
      try reader.take(body, into: &whole)
      try reader.end(into: &whole)
      let blank: Set<UInt8> = isCSV ? [] : [0x20, 0x09, 0x0D]
      let said = lines.dropFirst(isCSV ? 1 : 0).filter { line in
        isCSV ? !line.isEmpty && line != [0x0D] : !line.allSatisfy(blank.contains)
      }
      #expect(whole.readings.count + whole.report.rejectedCount == said.count)
      var cut = ReadingBatch(device: nil)
      var second = ReadingLines(format)
      var rest = body[...]
      while !rest.isEmpty {
        let piece = rest.prefix(.random(in: 1...30, using: &random))
        try second.take(Array(piece), into: &cut)
        rest = rest.dropFirst(piece.count)
      }
      try second.end(into: &cut)
      #expect(cut.readings.map(\.reading) == whole.readings.map(\.reading))
      #expect(cut.report.rejected == whole.report.rejected)
    }
  }
}
