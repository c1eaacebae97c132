extension RawSpan {
  /// Whether a `Prefer` field (RFC 7240 §2) has the preference of that name, in lower case, without a value. Its parameters
  /// mean nothing here; nor do other preferences, and what is none is passed over.
  func hasPreference(_ name: StaticString, at field: Range<Int>) -> Bool {
    var start = field.lowerBound
    while start < field.upperBound {
      let end = endOfPreference(from: start, to: field.upperBound)
      if isPreference(name, at: start..<end) { return true }
      start = end + 1
    }
    return false
  }

  /// The next comma that stands in no quoted string.
  private func endOfPreference(from start: Int, to limit: Int) -> Int {
    var isQuoted = false
    var at = start
    while at < limit, isQuoted || self[at] != UInt8(ascii: ",") {
      if self[at] == UInt8(ascii: "\"") { isQuoted.toggle() }
      // RFC 9110 §5.6.4: what follows a backslash ends nothing.
      at += isQuoted && self[at] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(at, limit)
  }

  private func isPreference(_ name: StaticString, at element: Range<Int>) -> Bool {
    var at = skipBlanks(element)
    let length = name.utf8CodeUnitCount
    guard element.upperBound - at >= length, equals(name, at: at..<at + length) else { return false }
    at = skipBlanks(at + length..<element.upperBound)
    // §2: an empty value is none.
    if at < element.upperBound, self[at] == UInt8(ascii: "=") {
      at = skipBlanks(at + 1..<element.upperBound)
      guard element.upperBound - at >= 2, equals("\"\"", at: at..<at + 2) else { return false }
      at = skipBlanks(at + 2..<element.upperBound)
    }
    return at == element.upperBound || self[at] == UInt8(ascii: ";")
  }

  private func skipBlanks(_ range: Range<Int>) -> Int {
    var at = range.lowerBound
    while at < range.upperBound, self[at].isBlank { at += 1 }
    return at
  }
}
