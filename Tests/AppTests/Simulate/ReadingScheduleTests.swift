import Testing

@testable import App

@Suite struct `A schedule of readings` {
  @Test(arguments: [0.001, 0.1, 1, 3, 7, 999.999, 1000, 123_456.789, 1_000_000])
  func `makes a reading due at its time and not before`(_ rate: Double) {
    let schedule = ReadingSchedule(rate: rate)
    for reading: UInt64 in [0, 1, 2, 999, 1000, 1_000_003, 7_000_000_000] {
      let time = schedule.time(of: reading)
      #expect(schedule.due(at: time) > reading && schedule.due(at: time - 1) <= reading)
    }
    #expect(schedule.due(at: 0) == 0 && schedule.time(of: 0) > 0)
  }

  @Test func `keeps its rate for a year`() {
    let year: UInt64 = 365 * 86_400_000
    #expect(ReadingSchedule(rate: 1_000_000).due(at: year) == year * 1000)
    #expect(ReadingSchedule(rate: 0.1).due(at: year) == year / 10_000)
  }

  @Test func `says how late the next reading is`() {
    let schedule = ReadingSchedule(rate: 10)
    #expect(schedule.lag(sent: 0, at: 99) == 0 && schedule.lag(sent: 0, at: 100) == 0)
    #expect(schedule.lag(sent: 0, at: 350) == 250 && schedule.lag(sent: 3, at: 350) == 0)
  }

  @Test(arguments: [(1, 1000.0), (3, 3000), (7, 10), (16, 0.1), (100, 99_999.9)])
  func `joins each device's readings without a gap`(_ count: Int, _ rate: Double) throws {
    let start = try #require(Timestamp("2026-03-29T00:59:59.500Z"))
    let readings = SimulatedReadings(
      devices: (0..<count).map { "d\($0)" }, schedule: ReadingSchedule(rate: rate), start: start)
    var last = [String: String]()
    for part in 0..<5 {
      let upload = readings.upload(UInt64(part * count * 2)..<UInt64((part + 1) * count * 2))
      let lines = String(decoding: upload.body, as: UTF8.self).split(separator: "\n")
      #expect(lines.first == "device_id,start,end,value" && lines.count == upload.count + 1)
      for line in lines.dropFirst() {
        let cells = line.split(separator: ",").map(String.init)
        #expect(cells[1] == last[cells[0], default: start.text] && cells[1] < cells[2])
        #expect(try #require(Double(cells[3])) >= 0)
        last[cells[0]] = cells[2]
      }
    }
    #expect(last.count == count)
  }
}
