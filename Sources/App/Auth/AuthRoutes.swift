import Reactor

/// `/auth/login`.
struct AuthRoutes: Sendable {
  let services: Services

  private struct Body: Decodable {
    let username: String?
    let password: String?
  }

  private struct Session: Encodable {
    let accessToken: String
    var tokenType = "Bearer"
    let expiresIn: Int64
    let user: User.Full

    private enum CodingKeys: String, CodingKey {
      case accessToken = "access_token"
      case tokenType = "token_type"
      case expiresIn = "expires_in"
      case user
    }
  }

  /// `POST /auth/login`, a task: a reader finds the user, and the cpu thread checks the password. A user who
  /// does not exist, has no password or is disabled costs the same and gets the same answer as a wrong
  /// password.
  @Sendable func login(_ request: Request) async -> Response {
    await Answer.later {
      let (username, password) = try Self.credentials(in: request)
      let store = services.store
      let found = try await services.readers.run {
        try store.read { try UserStore.credentials(of: username, in: $0) }
      }
      let passwords = services.passwords
      let isRight = try await services.cpu.run {
        try passwords.verify(password, against: found?.passwordHash)
      }
      guard isRight, let user = found?.user, !user.disabled else { throw Self.refusal }
      let token = try services.tokens.issue(to: user.id, role: user.role)
      let session = Session(
        accessToken: token, expiresIn: services.tokens.lifetime, user: User.Full(user: user))
      // RFC 6749 §5.1.
      return try Answer.json(session, fields: [.init("cache-control", "no-store")])
    }
  }

  private static func credentials(in request: Request) throws(Problem) -> (String, String) {
    let body = try request.json(Body.self)
    var errors = FieldErrors()
    // No rule for what they hold: a name that cannot be is an unknown user.
    let username = errors.require(body.username, "/username", "") { _ in true }
    let password = errors.require(body.password, "/password", "") { _ in true }
    try errors.throwIfAny()
    return (username, password)
  }

  /// A 401 names a scheme (RFC 9110 §15.5.2).
  private static var refusal: Problem {
    var problem = Problem(.invalidCredentials)
    problem.fields = [Response.Field("www-authenticate", "Bearer realm=\"wattloop\"")]
    return problem
  }
}
