import Foundation
import Reactor

/// The conversations of a load, made over REST by their first members.
enum Conversations {
  /// As it stood when it was made.
  struct Made: Decodable {
    let id: String
    let lastSeq: Int

    private enum CodingKeys: String, CodingKey {
      case id
      case lastSeq = "last_seq"
    }
  }

  private struct New: Encodable {
    let kind: String
    let title: String?
    let members: [String]

    private enum CodingKeys: String, CodingKey {
      case kind, title
      case members = "member_ids"
    }
  }

  /// The requests under way: each is a change of the store, and many share a commit.
  private static let atOnce = 64

  /// One direct conversation for each pair, made or found: users 0 and 1 have one, 2 and 3, and so on.
  static func direct(_ accounts: [Account], at common: CommonOptions) throws -> [Made] {
    let pairs = stride(from: 0, to: accounts.count - 1, by: 2).map { Array(accounts[$0...$0 + 1]) }
    return try create(pairs, kind: "direct", title: nil, common)
  }

  /// One new group for each list of members.
  static func groups(_ members: [[Account]], title: String, at common: CommonOptions) throws -> [Made] {
    try create(members, kind: "group", title: title, common)
  }

  private static func create(
    _ members: [[Account]], kind: String, title: String?, _ common: CommonOptions
  ) throws -> [Made] {
    let api = try APIClient(common, token: nil, connections: atOnce)
    let requests = try members.map { members in
      let new = New(kind: kind, title: title, members: members.dropFirst().map(\.id))
      return try api.request(
        .post, "/api/v1/conversations", contentType: "application/json",
        body: [UInt8](JSONEncoder().encode(new)), token: members[0].token)
    }
    return try api.all(requests, atOnce: atOnce).map { try JSONDecoder().decode(Made.self, from: Data($0)) }
  }
}
