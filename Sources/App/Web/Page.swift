import Reactor

/// One page of a list: `{"items": […], "next_cursor": "…"|null}`, with a `Link` to the next (RFC 8288).
struct Page<Item: Encodable>: Encodable {
  let items: [Item]
  let nextCursor: String?

  private enum CodingKeys: String, CodingKey {
    case items
    case nextCursor = "next_cursor"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(items, forKey: .items)
    // Also as null: a client must not have to tell a missing member from the end.
    try container.encode(nextCursor, forKey: .nextCursor)
  }

  /// - Parameter parameters: the query of this page but for `cursor`, which the link repeats.
  func response(_ path: String, _ parameters: [(String, String)]) throws -> Response {
    try Answer.json(self, fields: Link.next(nextCursor, path: path, parameters: parameters))
  }
}

/// `Link` (RFC 8288).
enum Link {
  /// The field that leads to the next page; none at the end.
  static func next(_ cursor: String?, path: String, parameters: [(String, String)]) -> [Response.Field] {
    guard let cursor else { return [] }
    let query = (parameters + [("cursor", cursor)]).map { "\($0)=\(Query.encode($1))" }
    return [Response.Field("link", "<\(path)?\(query.joined(separator: "&"))>; rel=\"next\"")]
  }
}

/// The place in a list after which a page begins. Opaque outside, so that clients do not build on what is
/// inside.
enum Cursor {
  static func encode(_ key: String) -> String { Base64URL.encode(key.utf8) }

  /// The number that a cursor holds.
  static func number(_ text: String?) throws(Problem) -> Int64? {
    guard let key = try decode(text) else { return nil }
    guard let number = Int64(key) else { throw .validation("?cursor", "must be a cursor from an answer") }
    return number
  }

  static func decode(_ text: String?) throws(Problem) -> String? {
    guard let text else { return nil }
    guard let bytes = Base64URL.decode(text.utf8), let key = String(validating: bytes, as: UTF8.self) else {
      throw .validation("?cursor", "must be a cursor from an answer")
    }
    return key
  }
}
