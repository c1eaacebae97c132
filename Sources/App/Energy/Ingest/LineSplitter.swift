/// Cuts a body that comes in pieces into lines. Holds no more than the piece of a line that has not ended.
struct LineSplitter: Sendable {
  private let longest: Int
  private var rest: [UInt8] = []
  private var isSkipping = false

  /// - Parameter longest: how many bytes a line may have; one of a reading has some hundred.
  init(longest: Int = 16 * 1024) { self.longest = longest }

  /// - Parameters:
  ///   - line: is given each line without its end.
  ///   - tooLong: is called once for a line that is too long, which is passed over.
  mutating func take(
    _ piece: [UInt8], line: (UnsafeRawBufferPointer) -> Void, tooLong: () -> Void
  ) {
    piece.withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
          return keep(UnsafeRawBufferPointer(rebasing: bytes[start...]), tooLong)
        }
        finish(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), line, tooLong)
        start = end + 1
      }
    }
  }

  /// The last line needs no end.
  mutating func end(line: (UnsafeRawBufferPointer) -> Void) {
    if !isSkipping && !rest.isEmpty { rest.withUnsafeBytes(line) }
    rest = []
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer, _ tooLong: () -> Void) {
    if isSkipping { return }
    if rest.count + bytes.count > longest {
      isSkipping = true
      rest = []
      return tooLong()
    }
    rest.append(contentsOf: bytes)
  }

  private mutating func finish(
    _ bytes: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void, _ tooLong: () -> Void
  ) {
    defer { isSkipping = false }
    if isSkipping { return }
    if rest.count + bytes.count > longest {
      rest = []
      return tooLong()
    }
    if rest.isEmpty { return line(bytes) }
    rest.append(contentsOf: bytes)
    rest.withUnsafeBytes(line)
    rest.removeAll(keepingCapacity: true)
  }
}
