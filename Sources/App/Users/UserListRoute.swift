import Reactor

/// `GET /users`. (`ObjectView` shows one of them.)
struct UserListRoute: Sendable {
  let services: Services

  /// On a reader.
  @Sendable func get(_ request: Request) -> Response {
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
}
