import GRDB

/// Who shares a conversation with whom, for presence. Each conversation's members are read once, however many of them are
/// asked about: when a thousand clients come back at once, many are of the same.
struct Acquaintances {
  /// The most peers of one user.
  private static let mostPeers = 2_000
  /// Of a user in more conversations than this, the newest are looked at.
  private static let mostConversations = 1_000

  /// The most conversations whose members are kept.
  private static let mostKept = 4_096

  private let db: Database
  /// Of those with at most `MemberList.mostAcquainted`; empty for larger ones.
  private var members: [Int64: [Int64]] = [:]

  init(_ db: Database) { self.db = db }

  /// Users, each once.
  mutating func peers(of user: Int64) throws -> [Int64] {
    let conversations = try Int64.fetchAll(
      db.cachedStatement(
        sql: "SELECT conversation_id FROM members WHERE user_id = ? ORDER BY conversation_id DESC LIMIT ?"),
      arguments: [user, Self.mostConversations])
    var found: [Int64] = []
    var known: Set = [user]
    for conversation in conversations {
      for member in try members(of: conversation) where known.insert(member).inserted {
        found.append(member)
        if found.count == Self.mostPeers { return found }
      }
    }
    return found
  }

  private mutating func members(of conversation: Int64) throws -> [Int64] {
    if let known = members[conversation] { return known }
    var found = try Int64.fetchAll(
      db.cachedStatement(sql: "SELECT user_id FROM members WHERE conversation_id = ? LIMIT ?"),
      arguments: [conversation, MemberList.mostAcquainted + 1])
    if found.count > MemberList.mostAcquainted { found = [] }
    if members.count < Self.mostKept { members[conversation] = found }
    return found
  }
}
