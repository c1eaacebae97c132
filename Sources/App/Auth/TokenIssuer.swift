/// Makes access tokens.
public struct TokenIssuer: Sendable {
  private let key: SigningKey
  /// Seconds.
  public let lifetime: Int64

  public init(key: SigningKey, lifetime: Duration) {
    self.key = key
    self.lifetime = max(1, lifetime.components.seconds)
  }

  public func issue(to user: Int64, role: Role, now: Timestamp = .now()) throws -> String {
    let seconds = now.milliseconds / 1000
    let claims = AccessClaims(user: user, role: role, issuedAt: seconds, expiresAt: seconds + lifetime)
    return try JWT.sign(claims, with: key)
  }
}
