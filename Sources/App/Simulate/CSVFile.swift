import Glibc

/// A CSV file that is read as it is sent: what is in memory is one piece of it, however long it is.
final class CSVFile {
  private static let pieceBytes = 64 << 10

  let path: String
  private let descriptor: Int32
  private let cutter = CSVCutter()
  private var isAtEnd = false

  /// - Throws: `usage` if there is no such file, or nothing in it. A pipe is none: waiting for it would hold up the loop.
  init(path: String) throws(ExitFailure) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .usage("--csv: '\(path)': \(String(cString: strerror(errno)))") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .usage("--csv: '\(path)' is no regular file")
    }
    while cutter.header == nil, !isAtEnd { try read() }
    guard cutter.header != nil, cutter.tooLong.first != 1 else {
      throw .usage("--csv: '\(path)' does not begin with a row of column names")
    }
  }

  deinit { close(descriptor) }

  /// Every line has been handed out.
  var isSent: Bool { isAtEnd && cutter.waiting == 0 }

  /// The next request's lines; nil at the end of the file.
  func upload(atMost count: Int) throws(ExitFailure) -> ReadingUpload? {
    while cutter.waiting < count, !isAtEnd { try read() }
    return cutter.upload(atMost: count)
  }

  /// The numbers of lines that cannot be sent, among those that were read since the last call.
  func takeTooLong() -> [Int] { cutter.takeTooLong() }

  private func read() throws(ExitFailure) {
    var failure: Int32 = 0
    let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
      let length = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if length < 0 { failure = errno }
      count = max(0, length)
    }
    if failure == EINTR { return }
    if failure != 0 { throw .storage("'\(path)' cannot be read: \(String(cString: strerror(failure)))") }
    if piece.isEmpty {
      isAtEnd = true
      cutter.end()
    } else {
      cutter.take(piece)
    }
  }
}
