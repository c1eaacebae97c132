/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2), as in Host, an absolute target and CONNECT.
enum Authority {
  enum Port {
    case optional
    /// CONNECT (RFC 9110 §9.3.6): missing, empty or zero is invalid.
    case required
  }

  /// An empty host is never valid here: an http URI must name one (RFC 9110 §4.2.1).
  static func isValid(_ bytes: RawSpan, port: Port) -> Bool {
    guard bytes.byteCount > 0, let hostEnd = hostEnd(bytes), hostEnd > 0 else { return false }
    if hostEnd == bytes.byteCount { return port == .optional }
    guard bytes[hostEnd] == UInt8(ascii: ":") else { return false }
    return isPort(bytes.extracting((hostEnd + 1)...), port)
  }

  private static func hostEnd(_ bytes: RawSpan) -> Int? {
    if bytes[0] != UInt8(ascii: "[") { return registeredNameEnd(bytes) }
    var close = 1
    while close < bytes.byteCount && bytes[close] != UInt8(ascii: "]") { close += 1 }
    guard close < bytes.byteCount, IPLiteral.isValid(bytes.extracting(1..<close)) else { return nil }
    return close + 1
  }

  /// IPv4 addresses are among the registered names, too.
  private static func registeredNameEnd(_ bytes: RawSpan) -> Int? {
    var at = bytes.first(outside: .registeredName, from: 0)
    while at < bytes.byteCount && bytes[at] == UInt8(ascii: "%") {
      guard at + 2 < bytes.byteCount, bytes[at + 1].hexValue != nil, bytes[at + 2].hexValue != nil else {
        return nil
      }
      at = bytes.first(outside: .registeredName, from: at + 3)
    }
    return at
  }

  private static func isPort(_ digits: RawSpan, _ rule: Port) -> Bool {
    var number = 0
    for i in 0..<digits.byteCount {
      guard digits[i].isDigit else { return false }
      number = number * 10 + Int(digits[i] - 0x30)
      if number > 65_535 { return false }
    }
    return rule == .optional || number > 0
  }
}
