/// A conversation without what its members have said and read.
struct Conversation: Sendable, Equatable {
  enum Kind: String, Codable, Sendable { case direct, group, support }

  let id: Int64
  let kind: Kind
  let title: String?
  /// Who made it; nil in one of an earlier version.
  let founder: Int64?
}
