/// The request head machine (RFC 9112 §2 to §6): bytes in, a `RequestHead` out. What it keeps between calls
/// is how far the head was scanned; the head is parsed in one go once it is complete.
///
/// The result does not depend on how the bytes were cut.
struct RequestParser: Sendable {
  private var scanner = HeadScanner()

  /// `bytes` starts at the request's first byte; a later call has the same bytes and more. On `.head` the
  /// positions in `head` count from `bytes[0]`, and what lies beyond `length` is the body or the next
  /// request. After `.head` and after an error the parser is ready for another request. `head` means nothing
  /// after `.needMore`.
  mutating func next(
    _ bytes: UnsafeRawBufferPointer, into head: inout RequestHead, limits: HeadLimits
  ) throws(HTTPError) -> HeadStep {
    do throws(HTTPError) {
      guard let length = try scanner.end(in: bytes.bytes, limits: limits) else { return .needMore }
      scanner = HeadScanner()
      try head.parse(bytes.bytes.extracting(0..<length), limits: limits)
      return .head(length: length)
    } catch {
      scanner = HeadScanner()
      throw error
    }
  }
}

enum HeadStep: Equatable, Sendable {
  case needMore
  /// The head's length in bytes, from a skipped empty line to the one that ends it.
  case head(length: Int)
}

extension RequestHead {
  /// `bytes` is a whole head as the scanner found it: it ends with an empty line, every CR belongs to a CRLF,
  /// and the only other control character is the tab.
  fileprivate mutating func parse(_ bytes: RawSpan, limits: HeadLimits) throws(HTTPError) {
    reset()
    let lineStart = bytes[0] == .carriageReturn ? 2 : 0
    var (form, at) = try parseRequestLine(bytes, from: lineStart, limits: limits)
    var meaning = FieldMeaning()
    while bytes[at] != .carriageReturn {
      if fields.count == limits.fieldCount { throw .tooManyFields }
      let (field, next) = try Field.parse(bytes, from: at)
      fields.append(field)
      try meaning.note(field, in: bytes)
      at = next
    }
    try settle(meaning, form: form)
  }
}
