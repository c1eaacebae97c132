import Reactor

/// What reads users: `GET` of `/users`, `/users/{id}` and `/users/me`.
struct UserRoutes: Sendable {
  let services: Services

  /// `GET /users`, on a reader.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let role = try request.caller().role
      let query = try Query(request.query)
      let limit = try query.limit()
      let (users, next) = try page(query, limit)
      let parameters = [("limit", "\(limit)")] + (query["q"].map { [("q", $0)] } ?? [])
      return switch role {
      case .admin:
        try Page(items: users.map(User.Full.init), nextCursor: next).response(request.path, parameters)
      case .client:
        try Page(items: users.map { User.Profile($0) }, nextCursor: next).response(request.path, parameters)
      }
    }
  }

  private func page(_ query: Query, _ limit: Int) throws -> (users: [User], next: String?) {
    let after = try Cursor.decode(query["cursor"])
    // One more than asked for: it tells whether there is a next page.
    let found = try services.store.read {
      try UserStore.page(prefix: query["q"] ?? "", after: after, limit: limit + 1, in: $0)
    }
    let users = Array(found.prefix(limit))
    let next = found.count > limit ? users.last.map { Cursor.encode(Username.fold($0.username)) } : nil
    return (users, next)
  }

  /// `GET /users/me`, on a reader.
  @Sendable func me(_ request: Request) -> Response {
    Answer.from { try show(try request.caller().user, to: request) }
  }

  /// `GET /users/{id}`, on a reader.
  @Sendable func get(_ request: Request) -> Response {
    Answer.from {
      try show(try request.user(), to: request)
    }
  }

  private func show(_ id: Int64, to request: Request) throws -> Response {
    let caller = try request.caller()
    guard let user = try services.store.read({ try UserStore.find(id, in: $0) }) else {
      throw Problem.notFound
    }
    return caller.role == .admin || caller.user == id
      ? try ETag.response(User.Full(user: user), to: request)
      : try ETag.response(User.Profile(user), to: request)
  }
}
