/// The parameters of a request's query, as forms write them: `name=value` with `&` between, percent-encoded,
/// `+` a space.
struct Query {
  private var values: [String: String] = [:]

  /// - Throws: `malformed` for a wrong percent-encoding or one that is not UTF-8.
  init(_ text: String?) throws(Problem) {
    for pair in (text ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : "") else {
        throw Problem(.malformed, detail: "The query is not percent-encoded UTF-8.")
      }
      // The first wins, wherever a name comes twice.
      if values[name] == nil { values[name] = value }
    }
  }

  subscript(_ name: String) -> String? { values[name] }

  /// `limit`: more than the most that a page holds means a full page.
  func limit(default standard: Int = 50, most: Int = 500) throws(Problem) -> Int {
    guard let text = values["limit"] else { return standard }
    guard text.utf8.count <= 9, let number = unsigned(text, as: Int.self), number > 0 else {
      throw .validation("?limit", "must be a number from 1 to \(most)")
    }
    return min(number, most)
  }

  /// A number that may be left out.
  func integer(_ name: String) throws(Problem) -> Int64? {
    guard let text = values[name] else { return nil }
    guard let number = Int64(text) else { throw .validation("?\(name)", "must be a whole number") }
    return number
  }

  private static func decode(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var left = text.utf8[...]
    while let byte = left.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        guard let high = left.popFirst().flatMap(hexValue), let low = left.popFirst().flatMap(hexValue) else {
          return nil
        }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Percent-encodes everything but RFC 3986's unreserved characters.
  static func encode(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if isUnreserved(byte) {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: false
    }
  }
}
