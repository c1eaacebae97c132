/// What a user may do.
public enum Role: String, Sendable, CaseIterable, Codable {
  case admin, client
}

/// Who is behind a request. It fits the three words that an existential holds in place, so passing it on as a
/// request's context allocates nothing.
public struct Caller: Sendable, Equatable {
  public let user: Int64
  /// Unix seconds.
  public let expiresAt: Int64
  public let role: Role

  public init(user: Int64, role: Role, expiresAt: Int64) {
    self.user = user
    self.role = role
    self.expiresAt = expiresAt
  }
}
