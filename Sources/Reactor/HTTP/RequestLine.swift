/// RFC 9112 §3.2: the four forms of a request-target.
enum TargetForm {
  case origin, absolute, authority, asterisk
}

extension RequestHead {
  /// `method SP request-target SP HTTP-version CRLF`, with exactly these spaces (RFC 9112 §3). The answer's
  /// `next` is where the fields begin.
  mutating func parseRequestLine(
    _ bytes: RawSpan, from start: Int, limits: HeadLimits
  ) throws(HTTPError) -> (form: TargetForm, next: Int) {
    let methodEnd = bytes.first(outside: .token, from: start)
    guard methodEnd > start, bytes[methodEnd] == .space else { throw .malformedRequestLine }
    method = Method(token: bytes, at: start..<methodEnd)

    let targetStart = methodEnd + 1
    let targetEnd = bytes.first(outside: .target, from: targetStart)
    try Self.checkTargetEnd(bytes[targetEnd])
    guard targetEnd > targetStart else { throw .malformedRequestLine }
    if targetEnd - targetStart > limits.targetBytes { throw .targetTooLong }

    minorVersion = try Self.minorVersion(bytes, from: targetEnd + 1)
    let form = try parseTarget(bytes, targetStart..<targetEnd)
    return (form, targetEnd + 11)
  }

  private static func checkTargetEnd(_ byte: UInt8) throws(HTTPError) {
    switch byte {
    case .space: return
    case .tab, .carriageReturn: throw .malformedRequestLine
    default: throw .invalidTarget
    }
  }

  /// RFC 9112 §2.3: eight bytes with this case, and the line's end. A higher minor version of major version 1
  /// is handled as 1.1 (RFC 9110 §2.5).
  private static func minorVersion(_ bytes: RawSpan, from start: Int) throws(HTTPError) -> UInt8 {
    guard start + 8 < bytes.byteCount, bytes[start + 8] == .carriageReturn else { throw .malformedVersion }
    let version = bytes.word(at: start)
    if version == 0x312E_312F_5054_5448 { return 1 }  // "HTTP/1.1", first byte lowest
    let major = bytes[start + 5]
    let minor = bytes[start + 7]
    // The same word without its two digits.
    guard version & 0x00FF_00FF_FFFF_FFFF == 0x002E_002F_5054_5448, major.isDigit, minor.isDigit else {
      throw .malformedVersion
    }
    guard major == 0x31 else { throw .unknownVersion }
    return minor == 0x30 ? 0 : 1
  }

  private mutating func parseTarget(_ bytes: RawSpan, _ target: Range<Int>) throws(HTTPError) -> TargetForm {
    if method == .connect {
      // RFC 9110 §9.3.6: only host and port, and the port must be there.
      guard Authority.isValid(bytes.extracting(target), port: .required) else { throw .invalidTarget }
      authority = ByteRange(start: target.lowerBound, count: target.count)
      return .authority
    }
    if bytes[target.lowerBound] == UInt8(ascii: "/") {
      splitQuery(bytes, target)
      return .origin
    }
    if target.count == 1 && bytes[target.lowerBound] == UInt8(ascii: "*") {
      guard method == .options else { throw .invalidTarget }
      path = ByteRange(start: target.lowerBound, count: 1)
      return .asterisk
    }
    try parseAbsolute(bytes, target)
    return .absolute
  }

  /// `http://authority[/path][?query]`; user information is refused (RFC 9110 §4.2.4), so is an empty host
  /// (§4.2.1).
  private mutating func parseAbsolute(_ bytes: RawSpan, _ target: Range<Int>) throws(HTTPError) {
    let schemeLength = try Self.schemeLength(bytes, target)
    isForHTTPS = schemeLength == 8
    let start = target.lowerBound + schemeLength
    var end = start
    while end < target.upperBound && bytes[end] != UInt8(ascii: "/") && bytes[end] != UInt8(ascii: "?") {
      end += 1
    }
    guard Authority.isValid(bytes.extracting(start..<end), port: .optional) else { throw .invalidTarget }
    authority = ByteRange(start: start, count: end - start)
    splitQuery(bytes, end..<target.upperBound)
    // RFC 9112 §3.2.4: with neither path nor query, OPTIONS is for the server as a whole.
    if method == .options && path.count == 0 && query == nil { return }
    // An empty path means "/" (RFC 9110 §4.2.3): the last slash of "://" is the one to point at.
    if path.count == 0 { path = ByteRange(start: start - 1, count: 1) }
  }

  private static func schemeLength(_ bytes: RawSpan, _ target: Range<Int>) throws(HTTPError) -> Int {
    let start = target.lowerBound
    if target.count > 7 && bytes.equals("http://", at: start..<start + 7) { return 7 }
    if target.count > 8 && bytes.equals("https://", at: start..<start + 8) { return 8 }
    throw .invalidTarget
  }

  private mutating func splitQuery(_ bytes: RawSpan, _ range: Range<Int>) {
    var mark = range.lowerBound
    while mark < range.upperBound && bytes[mark] != UInt8(ascii: "?") { mark += 1 }
    path = ByteRange(start: range.lowerBound, count: mark - range.lowerBound)
    if mark < range.upperBound { query = ByteRange(start: mark + 1, count: range.upperBound - mark - 1) }
  }
}

extension Method {
  /// Methods are case-sensitive (RFC 9110 §9.1): `get` is another one.
  init(token bytes: RawSpan, at range: Range<Int>) {
    guard range.count <= 8 else {
      self = .other
      return
    }
    var packed: UInt64 = 0
    for i in 0..<range.count { packed |= UInt64(bytes[range.lowerBound + i]) << UInt64(8 * i) }
    self =
      switch packed {  // the token's bytes, the first lowest
      case 0x54_4547: .get
      case 0x4441_4548: .head
      case 0x5453_4F50: .post
      case 0x54_5550: .put
      case 0x48_4354_4150: .patch
      case 0x4554_454C_4544: .delete
      case 0x53_4E4F_4954_504F: .options
      case 0x45_4341_5254: .trace
      case 0x54_4345_4E4E_4F43: .connect
      default: .other
      }
  }
}
