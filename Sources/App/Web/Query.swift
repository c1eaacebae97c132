import Reactor

/// The parameters of a request's query. Where a name comes twice, the first wins.
struct Query {
  private let items: QueryItems

  /// - Throws: `malformed` for a wrong percent-encoding or one that is not UTF-8.
  init(_ text: String?) throws(Problem) {
    guard let items = QueryItems(text) else {
      throw Problem(.malformed, detail: "The query is not percent-encoded UTF-8.")
    }
    self.items = items
  }

  subscript(_ name: String) -> String? { items.first(named: name) }

  /// All of them but one, for a link to the next page.
  func parameters(without name: String) -> [(String, String)] {
    items.items.filter { $0.name != name }.map { ($0.name, $0.value) }
  }

  /// `limit`: more than the most that a page holds means a full page.
  func limit(default standard: Int = 50, most: Int = 500) throws(Problem) -> Int {
    guard let text = self["limit"] else { return standard }
    guard text.utf8.count <= 9, let number = unsigned(text, as: Int.self), number > 0 else {
      throw .validation("?limit", "must be a number from 1 to \(most)")
    }
    return min(number, most)
  }

  /// A number that may be left out.
  func integer(_ name: String) throws(Problem) -> Int64? {
    guard let text = self[name] else { return nil }
    guard let number = Int64(text) else { throw .validation("?\(name)", "must be a whole number") }
    return number
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
