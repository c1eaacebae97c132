/// What may stand between the brackets of a URI's host: IPv6address or IPvFuture (RFC 3986 §3.2.2).
enum IPLiteral {
  static func isValid(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount > 0 else { return false }
    return bytes[0].asciiLowercased == UInt8(ascii: "v") ? isFuture(bytes) : isIPv6(bytes)
  }

  /// Eight groups of one to four digits; `::` once for one group of zeros or more; the last two may be an
  /// IPv4 address.
  private static func isIPv6(_ bytes: RawSpan) -> Bool {
    let end = bytes.byteCount
    var at = 0
    var groups = 0
    var isCompressed = false
    if isPair(bytes, 0) {
      isCompressed = true
      at = 2
    }
    while at < end {
      let digits = bytes.first(outside: .hexDigit, from: at)
      if digits < end && bytes[digits] == UInt8(ascii: ".") {
        guard isIPv4(bytes.extracting(at...)) else { return false }
        groups += 2
        break
      }
      guard digits > at, digits - at <= 4 else { return false }
      groups += 1
      at = digits
      if at == end { break }
      if isPair(bytes, at) {
        guard !isCompressed else { return false }
        isCompressed = true
        at += 2
      } else {
        guard bytes[at] == UInt8(ascii: ":"), at + 1 < end else { return false }
        at += 1
      }
    }
    return isCompressed ? groups <= 7 : groups == 8
  }

  private static func isPair(_ bytes: RawSpan, _ at: Int) -> Bool {
    at + 1 < bytes.byteCount && bytes[at] == UInt8(ascii: ":") && bytes[at + 1] == UInt8(ascii: ":")
  }

  /// Four numbers up to 255 without leading zeros.
  private static func isIPv4(_ bytes: RawSpan) -> Bool {
    var numbers = 0
    var at = 0
    while true {
      let start = at
      var number = 0
      while at < bytes.byteCount && bytes[at].isDigit && at - start < 3 {
        number = number * 10 + Int(bytes[at] - 0x30)
        at += 1
      }
      guard at > start, number <= 255, at - start == 1 || bytes[start] != UInt8(ascii: "0") else {
        return false
      }
      numbers += 1
      if at == bytes.byteCount { return numbers == 4 }
      guard bytes[at] == UInt8(ascii: ".") else { return false }
      at += 1
    }
  }

  /// `v` 1*HEXDIG `.` 1*( unreserved / sub-delims / `:` )
  private static func isFuture(_ bytes: RawSpan) -> Bool {
    let dot = bytes.first(outside: .hexDigit, from: 1)
    guard dot > 1, dot + 1 < bytes.byteCount, bytes[dot] == UInt8(ascii: ".") else { return false }
    for i in (dot + 1)..<bytes.byteCount {
      guard ByteClass.registeredName.contains(bytes[i]) || bytes[i] == UInt8(ascii: ":") else { return false }
    }
    return true
  }
}
