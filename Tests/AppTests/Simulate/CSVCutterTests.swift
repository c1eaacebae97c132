import Testing

@testable import App

@Suite struct `A CSV file that is cut into requests` {
  /// The requests' texts and lines, from a text that comes in pieces of that size.
  private func cut(_ text: String, by size: Int, atMost count: Int) -> [(text: String, lines: [Int])] {
    let cutter = CSVCutter()
    let bytes = Array(text.utf8)
    var found: [(String, [Int])] = []
    func take(_ least: Int) {
      while cutter.waiting >= least, let upload = cutter.upload(atMost: count) {
        guard case .lines(let lines) = upload.origins else { return }
        found.append((String(decoding: upload.body, as: UTF8.self), lines))
      }
    }
    for start in stride(from: 0, to: bytes.count, by: size) {
      cutter.take(Array(bytes[start..<min(start + size, bytes.count)]))
      take(count)
    }
    cutter.end()
    take(1)
    return found
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func `has the header in front of each`(_ size: Int) {
    let found = cut("a,value\n1,2\n3,4\n5,6", by: size, atMost: 2)
    #expect(found.map(\.text) == ["a,value\n1,2\n3,4\n", "a,value\n5,6\n"])
    #expect(found.map(\.lines) == [[2, 3], [4]])
  }

  @Test(arguments: [1, 4, 1000])
  func `leaves quotes, line ends and a byte order mark as they are`(_ size: Int) {
    let text = "\u{FEFF}note,value\r\n\"a, \"\"b\"\"\",2\r\n\r\n\n\"c\",4\r\n"
    let found = cut(text, by: size, atMost: 1)
    #expect(
      found.map(\.text) == [
        "\u{FEFF}note,value\r\n\"a, \"\"b\"\"\",2\r\n", "\u{FEFF}note,value\r\n\"c\",4\r\n",
      ])
    #expect(found.map(\.lines) == [[2], [5]])
  }

  /// What the server makes of the requests is what it makes of the file.
  @Test(arguments: [1, 2, 5]) func `means the same as the whole`(_ count: Int) throws {
    let text = """
      device_id,end,value,note\n\nd1,2026-01-01T00:00:00Z,1,"a,b"\nd1,2026-01-01T01:00:00Z,"2","a
      b"\r\n,,,\nd1,2026-01-01T02:00:00Z,x,\n\r\nd2,2026-01-01T03:00:00Z,4,"\nd1,2026-01-01T04:00:00Z,5,
      """
    var whole = ReadingBatch(device: nil)
    var lines = ReadingLines(.csv(CSVReadings()))
    try lines.take(Array(text.utf8), into: &whole)
    try lines.end(into: &whole)
    var ends: [Int64] = []
    var rejected: [Int] = []
    let uploads = cut(text, by: 11, atMost: count)
    for upload in uploads {
      var batch = ReadingBatch(device: nil)
      var lines = ReadingLines(.csv(CSVReadings()))
      try lines.take(Array(upload.text.utf8), into: &batch)
      try lines.end(into: &batch)
      ends += batch.readings.map(\.reading.end)
      rejected += batch.report.rejected.map { upload.lines[$0.index] }
    }
    #expect(ends == whole.readings.map(\.reading.end) && ends.count == 2)
    #expect(rejected == [4, 5, 6, 7, 9])
    #expect(uploads.flatMap(\.lines).count == whole.report.rejectedCount + ends.count)
  }

  @Test func `names a line that is too long, and goes on`() {
    let cutter = CSVCutter()
    cutter.take(Array(("value\n1\n" + String(repeating: "9", count: 20_000) + "\n3\n").utf8))
    guard case .lines(let lines)? = cutter.upload(atMost: 9)?.origins else { return #expect(Bool(false)) }
    #expect(lines == [2, 4] && cutter.takeTooLong() == [3] && cutter.takeTooLong().isEmpty)
  }

  @Test func `bounds a request's bytes`() throws {
    let cutter = CSVCutter()
    let line = String(repeating: "9", count: 16_000) + "\n"
    cutter.take(Array(("value\n" + String(repeating: line, count: 100)).utf8))
    var count = 0
    while let upload = cutter.upload(atMost: 1000) {
      #expect(upload.body.count < 600_000)
      count += upload.count
    }
    #expect(count == 100)
  }

  @Test func `is empty without a line behind the header`() {
    #expect(cut("", by: 1, atMost: 1).isEmpty && cut("a,value", by: 3, atMost: 1).isEmpty)
    #expect(cut("a,value\r\n\r\n\n", by: 3, atMost: 1).isEmpty)
  }
}
