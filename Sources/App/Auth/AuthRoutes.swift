import Reactor

/// `/auth/login`, `/auth/refresh` and `/auth/logout`.
struct AuthRoutes: Sendable {
  let services: Services

  private struct Body: Decodable {
    let username: String?
    let password: String?
  }

  private struct Tokens: Encodable {
    let accessToken: String
    var tokenType = "Bearer"
    let expiresIn: Int64
    let refreshToken: String
    let user: User.Full

    private enum CodingKeys: String, CodingKey {
      case accessToken = "access_token"
      case tokenType = "token_type"
      case expiresIn = "expires_in"
      case refreshToken = "refresh_token"
      case user
    }
  }

  private struct RefreshBody: Decodable {
    let refreshToken: String?
    private enum CodingKeys: String, CodingKey { case refreshToken = "refresh_token" }
  }

  /// `POST /auth/login`, a task: a reader finds the user, and the cpu thread checks the password. A user who
  /// does not exist, has no password or is disabled costs the same and gets the same answer as a wrong
  /// password.
  @Sendable func login(_ request: Request) async -> Response {
    await Answer.later {
      let (username, password) = try Self.credentials(in: request)
      let attempt = request.attempt(username)
      try services.limiter?.check(attempt)
      let store = services.store
      let found = try await services.readers.run {
        try store.read { try UserStore.credentials(of: username, in: $0) }
      }
      guard try await services.verify(password, of: found, attempt), let found else { throw Self.refusal }
      let refreshTokens = services.refreshTokens
      let issued = try await services.writer.write { db in
        // What was read may have changed while the hash was computed.
        try UserStore.unchanged(found, in: db).map { try refreshTokens.begin(for: $0, in: db) }
      }
      guard let issued else { throw Self.refusal }
      return try tokens(issued)
    }
  }

  /// `POST /auth/refresh`, a task on the writer. The token that comes is used up, and a new one goes back.
  @Sendable func refresh(_ request: Request) async -> Response {
    await Answer.later {
      var errors = FieldErrors()
      let body = try request.json(RefreshBody.self)
      let token = errors.require(body.refreshToken, "/refresh_token", "") { _ in true }
      try errors.throwIfAny()
      let attempt = request.attempt()
      try services.limiter?.check(attempt)
      let refreshTokens = services.refreshTokens
      let issued = try await services.writer.transact { try refreshTokens.use(token, in: $0) }
      guard let issued else {
        services.limiter?.countFailure(attempt)
        throw Self.refusal
      }
      return try tokens(issued)
    }
  }

  /// `POST /auth/logout`, a task on the writer. When it is answered, the session's tokens and sockets are dead.
  @Sendable func logout(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      try await services.writer.transact { transaction in
        try Accounts.confirm(caller, in: transaction.db)
        try Session.end(caller, in: transaction)
      }
      return Response(.noContent)
    }
  }

  private func tokens(_ issued: RefreshTokens.Issued) throws -> Response {
    let user = issued.user
    let tokens = Tokens(
      accessToken: try services.tokens.issue(
        to: user.id, role: user.role, session: issued.session, version: user.tokenVersion,
        now: issued.time),
      expiresIn: services.tokens.lifetime, refreshToken: issued.token, user: User.Full(user: user))
    // RFC 6749 §5.1.
    return try Answer.json(tokens, fields: [.init("cache-control", "no-store")])
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
