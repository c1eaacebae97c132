/// What the fields of one head say about the message itself, gathered line by line; `settle` draws the
/// conclusions.
struct FieldMeaning {
  fileprivate var host: ByteRange?
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  private(set) var closes = false
  private(set) var staysOpen = false
  fileprivate var upgrades = false
  fileprivate var namesWebSocket = false
  fileprivate var expectsContinue = false
  fileprivate var expectsOther = false
  fileprivate var prefersServerTiming = false

  /// The length of the name tells most fields apart at the cost of one comparison.
  @inline(__always)
  mutating func note(_ field: RequestHead.Field, in bytes: RawSpan) throws(HTTPError) {
    let name = field.name.range
    let value = field.value.range
    switch name.count {
    case 4 where bytes.equals("host", at: name): try noteHost(value, in: bytes)
    case 6 where bytes.equals("expect", at: name): noteExpect(value, in: bytes)
    case 6 where bytes.equals("prefer", at: name): notePrefer(value, in: bytes)
    case 7 where bytes.equals("upgrade", at: name): noteUpgrade(value, in: bytes)
    case 10 where bytes.equals("connection", at: name): noteConnection(value, in: bytes)
    case 14 where bytes.equals("content-length", at: name): try noteContentLength(value, in: bytes)
    case 17 where bytes.equals("transfer-encoding", at: name): try noteTransferEncoding(value, in: bytes)
    default: return
    }
  }

  /// RFC 9112 §3.2: more than one Host, or an invalid one, is refused in any version.
  private mutating func noteHost(_ value: Range<Int>, in bytes: RawSpan) throws(HTTPError) {
    guard host == nil else { throw .repeatedHost }
    guard value.isEmpty || Authority.isValid(bytes.extracting(value), port: .optional) else {
      throw .invalidHost
    }
    host = ByteRange(start: value.lowerBound, count: value.count)
  }

  /// RFC 9110 §8.6: 1*DIGIT. A list or a second field is refused even with equal numbers: two readers of it
  /// could disagree, and that is how requests are smuggled.
  private mutating func noteContentLength(_ value: Range<Int>, in bytes: RawSpan) throws(HTTPError) {
    guard contentLength == nil else { throw .repeatedContentLength }
    guard !value.isEmpty else { throw .invalidContentLength }
    var number = 0
    for i in value {
      guard bytes[i].isDigit else { throw .invalidContentLength }
      let (shifted, overflowed) = number.multipliedReportingOverflow(by: 10)
      let (sum, carried) = shifted.addingReportingOverflow(Int(bytes[i] - 0x30))
      if overflowed || carried { throw .invalidContentLength }
      number = sum
    }
    contentLength = number
  }

  /// RFC 9112 §6.1: `chunked` alone, once, in one field. Codings that we do not decode would leave the end of
  /// the message to guesswork, so they are refused like malformed ones.
  private mutating func noteTransferEncoding(_ value: Range<Int>, in bytes: RawSpan) throws(HTTPError) {
    guard !isChunked else { throw .repeatedTransferEncoding }
    guard bytes.equals("chunked", at: value) else { throw .invalidTransferEncoding }
    isChunked = true
  }

  private mutating func noteConnection(_ value: Range<Int>, in bytes: RawSpan) {
    var rest = value
    while let option = bytes.nextElement(of: &rest) {
      if bytes.equals("close", at: option) { closes = true }
      if bytes.equals("keep-alive", at: option) { staysOpen = true }
      if bytes.equals("upgrade", at: option) { upgrades = true }
    }
  }

  private mutating func noteUpgrade(_ value: Range<Int>, in bytes: RawSpan) {
    var rest = value
    while let name = bytes.nextElement(of: &rest) {
      if bytes.equals("websocket", at: name) { namesWebSocket = true }
    }
  }

  private mutating func noteExpect(_ value: Range<Int>, in bytes: RawSpan) {
    var rest = value
    while let expectation = bytes.nextElement(of: &rest) {
      if bytes.equals("100-continue", at: expectation) { expectsContinue = true } else { expectsOther = true }
    }
  }

  private mutating func notePrefer(_ value: Range<Int>, in bytes: RawSpan) {
    if bytes.hasPreference(ServerTiming.preference, at: value) { prefersServerTiming = true }
  }
}

extension RequestHead {
  mutating func settle(_ meaning: FieldMeaning, form: TargetForm) throws(HTTPError) {
    try settleAuthority(meaning, form: form)
    framing = try settledFraming(meaning)
    let isCurrent = minorVersion >= 1
    // RFC 9110 §10.1.1: an expectation of an HTTP/1.0 client is ignored, and one without content asks for
    // nothing.
    if isCurrent && meaning.expectsOther { throw .unknownExpectation }
    expectsContinue = isCurrent && meaning.expectsContinue && framing != .none
    // RFC 9112 §9.3: `close` wins over everything; HTTP/1.0 stays open only if it asks for it.
    keepAlive = !meaning.closes && (isCurrent || meaning.staysOpen)
    // RFC 9110 §7.8: Upgrade of an HTTP/1.0 client is ignored. Content would be taken for frames, so it rules
    // it out.
    upgradesToWebSocket =
      isCurrent && method == .get && framing == .none && meaning.upgrades && meaning.namesWebSocket
    prefersServerTiming = meaning.prefersServerTiming
  }

  private mutating func settleAuthority(_ meaning: FieldMeaning, form: TargetForm) throws(HTTPError) {
    guard let host = meaning.host else {
      if minorVersion >= 1 { throw .missingHost }
      return
    }
    switch form {
    case .origin:
      // RFC 9110 §4.2.1: with this form the URI has no other host, and an http URI without one is invalid.
      if host.count == 0 { throw .invalidHost }
      authority = host
    case .asterisk:
      // RFC 9110 §7.2: Host is empty if the target URI has no authority.
      authority = host
    case .absolute, .authority:
      // RFC 9112 §3.2.2: the target's own authority replaces what Host says.
      break
    }
  }

  /// RFC 9112 §6.3, without its lenient branches. `Content-Length: 0` is the same as no content: `.none`.
  private func settledFraming(_ meaning: FieldMeaning) throws(HTTPError) -> BodyFraming {
    if meaning.isChunked {
      // RFC 9112 §6.1: such a message came through something that does not know chunks; its framing is
      // faulty.
      if minorVersion == 0 { throw .transferEncodingInOldVersion }
      if meaning.contentLength != nil { throw .ambiguousLength }
      return .chunked
    }
    guard let length = meaning.contentLength, length > 0 else { return .none }
    return .length(length)
  }
}

extension RawSpan {
  /// Takes the next element of a comma-separated list; empty ones are skipped (RFC 9110 §5.6.1.2).
  func nextElement(of rest: inout Range<Int>) -> Range<Int>? {
    var start = rest.lowerBound
    while start < rest.upperBound && (self[start].isBlank || self[start] == UInt8(ascii: ",")) { start += 1 }
    guard start < rest.upperBound else { return nil }
    var end = start
    while end < rest.upperBound && self[end] != UInt8(ascii: ",") { end += 1 }
    rest = end..<rest.upperBound
    while self[end - 1].isBlank { end -= 1 }
    return start..<end
  }
}
