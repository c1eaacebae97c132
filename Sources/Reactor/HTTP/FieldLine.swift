extension RequestHead.Field {
  /// `field-name ":" OWS field-value OWS CRLF` (RFC 9112 §5); `next` is where the next line begins.
  static func parse(_ bytes: RawSpan, from start: Int) throws(HTTPError) -> (field: Self, next: Int) {
    let nameEnd = bytes.first(outside: .token, from: start)
    guard nameEnd > start, bytes[nameEnd] == UInt8(ascii: ":") else {
      throw fault(bytes[nameEnd], isFirst: nameEnd == start)
    }
    let lineEnd = bytes.firstCarriageReturn(from: nameEnd + 1)
    var valueStart = nameEnd + 1
    while valueStart < lineEnd && bytes[valueStart].isBlank { valueStart += 1 }
    var valueEnd = lineEnd
    while valueEnd > valueStart && bytes[valueEnd - 1].isBlank { valueEnd -= 1 }
    let field = Self(
      name: ByteRange(start: start, count: nameEnd - start),
      value: ByteRange(start: valueStart, count: valueEnd - valueStart))
    return (field, lineEnd + 2)
  }

  /// What is wrong with a name that ends at `byte`. A line that begins with a blank would continue the one
  /// before (RFC 9112 §5.2), or hide a first field (§2.2); whitespace before the colon is refused by §5.1.
  static func fault(_ byte: UInt8, isFirst: Bool) -> HTTPError {
    guard byte.isBlank else { return .invalidFieldName }
    return isFirst ? .foldedField : .whitespaceBeforeColon
  }
}
