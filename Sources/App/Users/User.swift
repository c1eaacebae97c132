import GRDB

/// A user's row, without the password hash.
public struct User: Sendable, Equatable {
  /// The server's own: the sender of what nobody else says. It cannot log in and is in no list.
  static let system: Int64 = 0

  public let id: Int64
  public let username: String
  public let displayName: String
  public let email: String?
  public let role: Role
  public let disabled: Bool
  public let createdAt: Timestamp
  /// Grows when all access tokens die; those of earlier versions are.
  public var tokenVersion: Int64 = 0
}

extension User: FetchableRecord {
  public init(row: Row) throws {
    id = row["id"]
    username = row["username"]
    displayName = row["display_name"]
    email = row["email"]
    // The schema allows no other text; what it could not mean must not become an administrator.
    role = Role(rawValue: row["role"]) ?? .client
    disabled = row["disabled"]
    createdAt = Timestamp(milliseconds: row["created_at"])
    tokenVersion = row["token_version"]
  }
}

extension User {
  /// What administrators see, and the user itself.
  struct Full: Encodable {
    let user: User

    private enum CodingKeys: String, CodingKey {
      case id, username, email, role, disabled
      case displayName = "display_name"
      case createdAt = "created_at"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(EntityID.user.text(user.id), forKey: .id)
      try container.encode(user.username, forKey: .username)
      try container.encode(user.displayName, forKey: .displayName)
      try container.encode(user.email, forKey: .email)
      try container.encode(user.role, forKey: .role)
      try container.encode(user.disabled, forKey: .disabled)
      try container.encode(user.createdAt, forKey: .createdAt)
    }
  }

  /// What everybody sees.
  struct Profile: Encodable {
    let id: String
    let username: String
    let displayName: String
    /// Only where it is true.
    let deleted: Bool?

    init(_ user: User, isDeleted: Bool = false) {
      id = EntityID.user.text(user.id)
      username = user.username
      displayName = user.displayName
      deleted = isDeleted ? true : nil
    }

    private enum CodingKeys: String, CodingKey {
      case id, username, deleted
      case displayName = "display_name"
    }
  }
}
