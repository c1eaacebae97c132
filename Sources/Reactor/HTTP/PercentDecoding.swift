/// Which part of a URI is decoded: in a query's names and values `+` is a space, in a path it is a plus.
public enum URIComponent: Sendable {
  case pathSegment, query
}

/// The text behind percent-encoding (RFC 3986 §2.1); nil if a `%` is not followed by two hexadecimal digits,
/// or if the result is not UTF-8 (overlong forms included). The text may hold any character, `/` and NUL too:
/// decode after splitting, never before.
public func percentDecoded(_ bytes: some Collection<UInt8>, as component: URIComponent) -> String? {
  var decoded: [UInt8] = []
  decoded.reserveCapacity(bytes.count)
  var rest = bytes.makeIterator()
  while let byte = rest.next() {
    switch byte {
    case UInt8(ascii: "%"):
      guard let high = rest.next()?.hexValue, let low = rest.next()?.hexValue else { return nil }
      decoded.append(high << 4 | low)
    case UInt8(ascii: "+") where component == .query:
      decoded.append(.space)
    default:
      decoded.append(byte)
    }
  }
  return String(validating: decoded, as: UTF8.self)
}
