/// A conversation as one of its members sees it.
struct Conversation: Encodable, Sendable {
  enum Kind: String, Codable, Sendable { case direct, group, support }

  let id: String
  let kind: Kind
  let title: String?
  let members: [User.Profile]
  let lastMessage: LastMessage?
  let lastSeq: Int64
  let readSeq: Int64
  /// Others' messages above `readSeq`.
  let unread: Int64

  /// The newest message, with the members that `StoredMessage` has.
  struct LastMessage: Encodable, Sendable {
    let conversation: String
    let seq: Int64
    let position: Int64
    let sender: String
    let timestamp: Timestamp
    let kind: String
    let text: String
  }

  private enum CodingKeys: String, CodingKey {
    case id, kind, title, members, unread
    case lastMessage = "last_message"
    case lastSeq = "last_seq"
    case readSeq = "read_seq"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(kind, forKey: .kind)
    try container.encode(title, forKey: .title)
    try container.encode(members, forKey: .members)
    try container.encode(lastMessage, forKey: .lastMessage)
    try container.encode(lastSeq, forKey: .lastSeq)
    try container.encode(readSeq, forKey: .readSeq)
    try container.encode(unread, forKey: .unread)
  }
}
