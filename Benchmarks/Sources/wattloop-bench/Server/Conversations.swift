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
  static func direct(_ accounts: [Account], at site: Site) throws -> [Made] {
    let pairs = stride(from: 0, to: accounts.count - 1, by: 2).map { Array(accounts[$0...$0 + 1]) }
    return try create(pairs, kind: "direct", title: nil, site)
  }

  /// One group for each list of members, made or found: another run with the same users would otherwise give each of them
  /// one more, and measure that too.
  static func groups(_ members: [[Account]], title: String, at site: Site) throws -> [Made] {
    try create(members, kind: "group", title: title, site)
  }

  private static func create(
    _ members: [[Account]], kind: String, title: String?, _ site: Site
  ) throws -> [Made] {
    let api = try APIClient(site, token: nil, connections: atOnce)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let requests = try members.map { members in
      let body = try encoder.encode(
        New(kind: kind, title: title, members: members.dropFirst().map(\.id)))
      return api.request(
        .post, "/api/v1/conversations", contentType: "application/json", body: [UInt8](body),
        token: members[0].token, idempotencyKey: "bench-" + String(fingerprint(body), radix: 16))
    }
    let ids = try decoded(api.all(requests, atOnce: atOnce)).map(\.id)
    // The answer is the first one again, and tells nothing of the messages since.
    let questions = zip(ids, members).map {
      api.request(.get, "/api/v1/conversations/\($0)", token: $1[0].token)
    }
    return try decoded(api.all(questions, atOnce: atOnce))
  }

  private static func decoded(_ answers: [[UInt8]]) throws -> [Made] {
    try answers.map { try JSONDecoder().decode(Made.self, from: Data($0)) }
  }

  /// FNV-1a.
  private static func fingerprint(_ bytes: Data) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
