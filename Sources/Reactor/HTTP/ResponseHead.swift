/// How a response's content is delimited (RFC 9112 §6.3).
enum ResponseFraming: Sendable, Equatable {
  case none
  case length(Int)
  case chunked
  case untilClose
}

/// What the parser found in one response head: positions into the head's bytes, and what they mean.
struct ResponseHead: Sendable, Equatable {
  var minorVersion: UInt8 = 1
  var status = Status.ok
  var fields: [RequestHead.Field] = []
  var framing = ResponseFraming.none
  /// False when the connection ends after this response (RFC 9112 §9.3).
  var keepAlive = true
}

extension ResponseHead {
  /// `bytes` is a whole head as the scanner found it (see `RequestParser`).
  init(_ bytes: RawSpan, answering method: Method, limits: HeadLimits) throws(HTTPError) {
    var at = try parseStatusLine(bytes)
    var meaning = FieldMeaning()
    while bytes[at] != .carriageReturn {
      if fields.count == limits.fieldCount { throw .tooManyFields }
      let (field, next) = try RequestHead.Field.parse(bytes, from: at)
      fields.append(field)
      try meaning.note(field, in: bytes)
      at = next
    }
    framing = try settledFraming(meaning, answering: method)
    keepAlive = !meaning.closes && (minorVersion >= 1 || meaning.staysOpen) && framing != .untilClose
  }

  /// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 §4); the reason means nothing. Returns where the
  /// fields begin.
  private mutating func parseStatusLine(_ bytes: RawSpan) throws(HTTPError) -> Int {
    let lineEnd = bytes.firstCarriageReturn(from: 0)
    guard lineEnd >= 13 else { throw .malformedStatusLine }
    // "HTTP/1." and a digit, the first byte lowest.
    guard bytes.word(at: 0) & 0x00FF_FFFF_FFFF_FFFF == 0x002E_312F_5054_5448, bytes[7].isDigit,
      bytes[8] == .space, bytes[12] == .space
    else { throw .malformedStatusLine }
    var code: UInt16 = 0
    for i in 9..<12 {
      guard bytes[i].isDigit else { throw .malformedStatusLine }
      code = code * 10 + UInt16(bytes[i] - 0x30)
    }
    // RFC 9110 §15: there are no others.
    guard (100...599).contains(code) else { throw .malformedStatusLine }
    minorVersion = bytes[7] == UInt8(ascii: "0") ? 0 : 1
    status = Status(rawValue: code)
    return lineEnd + 2
  }

  /// RFC 9112 §6.3, without its lenient branches.
  private func settledFraming(
    _ meaning: FieldMeaning, answering method: Method
  ) throws(HTTPError) -> ResponseFraming {
    if meaning.isChunked && minorVersion == 0 { throw .transferEncodingInOldVersion }
    if meaning.isChunked && meaning.contentLength != nil { throw .ambiguousLength }
    if method == .head || !status.hasContent { return .none }
    if meaning.isChunked { return .chunked }
    return meaning.contentLength.map { .length($0) } ?? .untilClose
  }
}
