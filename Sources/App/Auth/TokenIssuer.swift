/// Makes access tokens.
public struct TokenIssuer: Sendable {
  private let key: SigningKey
  /// Seconds.
  public let lifetime: Int64

  public init(key: SigningKey, lifetime: Duration) {
    self.key = key
    self.lifetime = max(1, lifetime.components.seconds)
  }

  /// - Parameters:
  ///   - session: the session that the token ends with; nil for a token on its own.
  ///   - version: the user's `tokenVersion`.
  public func issue(
    to user: Int64, role: Role, session: Int64? = nil, version: Int64 = 0, now: Timestamp = .now()
  ) throws -> String {
    let seconds = now.milliseconds / 1000
    let claims = AccessClaims(
      user: user, role: role, session: session, version: version, issuedAt: seconds,
      expiresAt: seconds + lifetime)
    return try JWT.sign(claims, with: key)
  }
}
