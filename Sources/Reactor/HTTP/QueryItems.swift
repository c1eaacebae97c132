/// The names and values of a query like `limit=50&q=a+b` (application/x-www-form-urlencoded), decoded and in
/// order.
public struct QueryItems: Sendable, Equatable {
  public struct Item: Sendable, Equatable {
    public let name: String
    /// Empty if there is no `=`.
    public let value: String
  }

  public private(set) var items: [Item] = []

  /// A missing query has no items. Nil if a name or a value cannot be decoded (see `percentDecoded`).
  public init?(_ query: String?) {
    guard let query else { return }
    for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
      let mark = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      guard
        let name = percentDecoded(pair[..<mark], as: .query),
        let value = percentDecoded(pair[mark...].dropFirst(), as: .query)
      else { return nil }
      items.append(Item(name: name, value: value))
    }
  }

  /// The value of the first item of that name.
  public func first(named name: String) -> String? {
    items.first { $0.name == name }?.value
  }
}
