/// Cuts a CSV text that comes in pieces into requests, each with the header in front. It cuts where the server does, at every
/// line break, so a file means the same in one request and in many.
final class CSVCutter {
  private struct Line {
    let number: Int
    let bytes: [UInt8]
  }

  /// A body's length from which no more lines are added.
  private static let bodyBytes = 512 << 10

  /// The first line, with its end; nil before it has come.
  private(set) var header: [UInt8]?
  /// The numbers of lines that are too long to be sent.
  private(set) var tooLong: [Int] = []
  private var splitter = LineSplitter()
  private var lines: [Line] = []
  private var next = 0
  /// Lines that have come, the header among them: the number of the last.
  private var lineCount = 0

  var waiting: Int { lines.count - next }

  func take(_ piece: [UInt8]) {
    lines.removeFirst(next)
    next = 0
    splitter.take(piece, line: add) {
      lineCount += 1
      tooLong.append(lineCount)
    }
  }

  /// The text is over; its last line needs no end.
  func end() { splitter.end(line: add) }

  func takeTooLong() -> [Int] {
    defer { tooLong = [] }
    return tooLong
  }

  /// The next request's; nil if no line is waiting.
  func upload(atMost count: Int) -> ReadingUpload? {
    guard let header, waiting > 0 else { return nil }
    var body = header
    var numbers: [Int] = []
    while next < lines.count, numbers.count < count, body.count < Self.bodyBytes {
      body += lines[next].bytes
      body.append(UInt8(ascii: "\n"))
      numbers.append(lines[next].number)
      next += 1
    }
    return ReadingUpload(body: body, origins: .lines(numbers))
  }

  private func add(_ line: UnsafeRawBufferPointer) {
    lineCount += 1
    if header == nil {
      header = Array(line) + [UInt8(ascii: "\n")]
      return
    }
    // The server does not count empty lines, so they must not be counted here.
    if line.isEmpty || (line.count == 1 && line[0] == UInt8(ascii: "\r")) { return }
    lines.append(Line(number: lineCount, bytes: Array(line)))
  }
}
