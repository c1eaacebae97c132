/// The direct conversations of a load: users 0 and 1 have one, 2 and 3, and so on.
enum Conversations {
  private struct New: Encodable {
    let kind = "direct"
    let members: [String]

    private enum CodingKeys: String, CodingKey {
      case kind
      case members = "member_ids"
    }
  }

  private struct Created: Decodable { let id: String }

  /// Creates what is not there yet; returns one id for each pair.
  static func create(_ accounts: [Account], at common: CommonOptions) throws -> [String] {
    try stride(from: 0, to: accounts.count - 1, by: 2).map { first in
      let api = try APIClient(common, token: accounts[first].token, connections: 1)
      let created: Created = try api.post(
        "/api/v1/conversations", json: New(members: [accounts[first + 1].id]))
      return created.id
    }
  }
}
