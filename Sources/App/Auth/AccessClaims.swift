/// What an access token says (RFC 9068 §2.2).
struct AccessClaims: Sendable, Codable, Equatable {
  static let issuer = "wattloop"
  static let audience = "wattloop"

  var issuer = Self.issuer
  var audience = Self.audience
  /// The user's id as clients know it.
  let subject: String
  /// Unix seconds, as are the other times.
  let issuedAt: Int64
  let expiresAt: Int64
  var notBefore: Int64?
  var tokenID = Base64URL.encode(RandomBytes.make(12))
  let role: Role
  /// The session's id as text; tokens that others make may have none.
  let session: String?
  /// The user's `token_version` when the token was made.
  let version: Int64?

  init(user: Int64, role: Role, session: Int64?, version: Int64, issuedAt: Int64, expiresAt: Int64) {
    subject = EntityID.user.text(user)
    self.role = role
    self.session = session.map(EntityID.session.text)
    self.version = version
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }

  init(
    issuer: String, audience: String, subject: String, issuedAt: Int64, expiresAt: Int64, notBefore: Int64?,
    tokenID: String, role: Role, session: String?, version: Int64?
  ) {
    self.issuer = issuer
    self.audience = audience
    self.subject = subject
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.notBefore = notBefore
    self.tokenID = tokenID
    self.role = role
    self.session = session
    self.version = version
  }

  private enum CodingKeys: String, CodingKey {
    case issuer = "iss"
    case audience = "aud"
    case subject = "sub"
    case issuedAt = "iat"
    case expiresAt = "exp"
    case notBefore = "nbf"
    case tokenID = "jti"
    case role
    case session = "sid"
    case version = "ver"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    issuer = try container.decode(String.self, forKey: .issuer)
    audience = try Self.audience(container)
    subject = try container.decode(String.self, forKey: .subject)
    issuedAt = try container.decode(NumericDate.self, forKey: .issuedAt).seconds
    expiresAt = try container.decode(NumericDate.self, forKey: .expiresAt).seconds
    notBefore = try container.decodeIfPresent(NumericDate.self, forKey: .notBefore)?.seconds
    tokenID = try container.decode(String.self, forKey: .tokenID)
    role = try container.decode(Role.self, forKey: .role)
    session = try container.decodeIfPresent(String.self, forKey: .session)
    version = try container.decodeIfPresent(Int64.self, forKey: .version)
  }

  /// One text or a list of them (RFC 7519 §4.1.3); of a list, this service's own name if it is there.
  private static func audience(_ container: KeyedDecodingContainer<CodingKeys>) throws -> String {
    guard let list = try? container.decode([String].self, forKey: .audience) else {
      return try container.decode(String.self, forKey: .audience)
    }
    return list.contains(audience) ? audience : ""
  }

  /// Seconds since 1970, maybe with a fraction (RFC 7519 §2), in the years that a date can have.
  private struct NumericDate: Decodable {
    let seconds: Int64

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let number = try container.decode(Double.self)
      guard number >= 0, number <= 253_402_300_799 else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no date")
      }
      seconds = Int64(number)
    }
  }
}
