import Reactor

/// What changes users: `POST /users`, `PATCH` and `DELETE`. Tasks: passwords are hashed on the cpu thread, rows written by
/// the writer. When one is answered, the tokens that it ended are dead.
struct UserChangeRoutes: Sendable {
  let services: Services

  /// `POST /users`, for administrators.
  @Sendable func create(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      try request.forbid(UserPatch.readOnly.subtracting(["username"]))
      let body = try request.json(NewUser.Body.self)
      let new = try NewUser(body)
      let key = try request.idempotencyKey(of: caller.user)
      let passwords = services.passwords
      let hash = try await services.cpu.run { try passwords.hash(body.password ?? "") }
      let answer = try await services.writer.transact { transaction in
        try Accounts.confirm(caller, in: transaction.db)
        return try IdempotencyKey.once(key, in: transaction.db) {
          guard let user = try Accounts.create(new, passwordHash: hash, in: transaction) else {
            throw Problem(.conflict, errors: [.init("/username", "is taken")])
          }
          return try .created(User.Full(user: user), at: "\(API.base)/users/\(EntityID.user.text(user.id))")
        }
      }
      var response = answer.response
      response.fields.append(.init("etag", ETag.make(answer.body)))
      return response
    }
  }

  /// `PATCH /users/me`
  @Sendable func updateMe(_ request: Request) async -> Response {
    await Answer.later { try await update(try request.caller().user, request) }
  }

  /// `PATCH /users/{id}`
  @Sendable func update(_ request: Request) async -> Response {
    await Answer.later { try await update(try request.user(), request) }
  }

  private func update(_ id: Int64, _ request: Request) async throws -> Response {
    let caller = try request.caller()
    let found = try await find(id)
    guard id != User.system, caller.role == .admin || caller.user == id else { throw BearerGate.forbidden }
    try request.forbid(UserPatch.forbidden(to: caller.role))
    let patch = try UserPatch(request.json(UserPatch.Body.self))
    let isOwnPassword = patch.password != nil && caller.user == id
    if isOwnPassword { try await check(patch.currentPassword, of: found) }
    let hash = try await hash(patch.password)
    let user = try await services.writer.transact { transaction in
      try Accounts.confirm(caller, in: transaction.db)
      guard let present = try UserStore.credentials(of: id, in: transaction.db) else {
        throw Problem.notFound
      }
      try request.requireMatch(User.Full(user: present.user))
      if isOwnPassword && present.passwordHash != found.passwordHash { throw Self.wrongPassword }
      return try Accounts.update(present.user, with: patch, passwordHash: hash, in: transaction)
    }
    return try ETag.response(User.Full(user: user))
  }

  /// `DELETE /users/{id}`, for administrators.
  @Sendable func delete(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let id = try request.user()
      guard id != User.system else { throw BearerGate.forbidden }
      try await services.writer.transact { transaction in
        try Accounts.confirm(caller, in: transaction.db)
        guard let user = try UserStore.find(id, in: transaction.db) else { throw Problem.notFound }
        try request.requireMatch(User.Full(user: user))
        try Accounts.delete(user, in: transaction)
      }
      return Response(.noContent)
    }
  }

  private func find(_ id: Int64) async throws -> UserStore.Credentials {
    let store = services.store
    let found = try await services.readers.run {
      try store.read { try UserStore.credentials(of: id, in: $0) }
    }
    guard let found else { throw Problem.notFound }
    return found
  }

  private func hash(_ password: String?) async throws -> String? {
    guard let password else { return nil }
    let passwords = services.passwords
    return try await services.cpu.run { try passwords.hash(password) }
  }

  /// Who has a stolen token must not take the account with it.
  private func check(_ current: String?, of found: UserStore.Credentials) async throws {
    guard let current else { throw Problem.validation("/current_password", "is missing") }
    let attempt = LoginAttempt(name: found.user.username, address: nil)
    guard try await services.verify(current, of: found, attempt) else { throw Self.wrongPassword }
  }

  private static var wrongPassword: Problem {
    .validation("/current_password", "is not the current password")
  }
}

extension Request {
  /// The user that the path names; an id that cannot be is one that is not there.
  func user() throws(Problem) -> Int64 {
    guard let id = parameters.first.flatMap(EntityID.user.parse) else { throw .notFound }
    return id
  }
}
