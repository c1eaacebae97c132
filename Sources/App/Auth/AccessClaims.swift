/// What an access token says (RFC 9068 §2.2).
struct AccessClaims: Sendable, Encodable, Equatable {
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
  let tokenID: String
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
    tokenID = Base64URL.encode(RandomBytes.make(12))
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

  /// The claims of a token that somebody has signed; nil if one is missing or of the wrong kind.
  init?(_ object: TokenObject) {
    do throws(TokenObject.WrongKind) {
      guard let issuer = try object.text("iss"), let subject = try object.text("sub"),
        let issuedAt = try object.date("iat"), let expiresAt = try object.date("exp"),
        let tokenID = try object.text("jti"), let role = try object.text("role").flatMap(Role.init)
      else { return nil }
      self.issuer = issuer
      // Of several audiences (RFC 7519 §4.1.3), this service's own name if it is there.
      audience = try object.texts("aud").contains(Self.audience) ? Self.audience : ""
      self.subject = subject
      self.issuedAt = issuedAt
      self.expiresAt = expiresAt
      notBefore = try object.date("nbf")
      self.tokenID = tokenID
      self.role = role
      session = try object.text("sid")
      version = try object.integer("ver")
    } catch {
      return nil
    }
  }
}
