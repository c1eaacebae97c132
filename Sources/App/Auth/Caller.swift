/// What a user may do.
public enum Role: String, Sendable, CaseIterable, Codable {
  case admin, client
}

/// Who is behind a request. It fits the three words that an existential holds in place, so passing it on as a
/// request's context allocates nothing.
public struct Caller: Sendable, Equatable {
  public let user: Int64
  /// The session that its token belongs to. Negative for a token that was made without one, which is then a session of
  /// its own.
  public let session: Int64
  private let expiry: UInt32
  public let role: Role

  /// Unix seconds, to the year 2106.
  public var expiresAt: Int64 { Int64(expiry) }

  public init(user: Int64, role: Role, expiresAt: Int64, session: Int64 = 0) {
    self.user = user
    self.session = session
    self.role = role
    expiry = UInt32(clamping: expiresAt)
  }
}
