import GRDB

/// What the commands do with users, directly in the store and beside a running server.
public struct UserAdministration {
  private let store: Store

  public init(store: Store) { self.store = store }

  /// - Throws: `ExitFailure` if the name or the password is against the rules, or the name is taken.
  public func add(_ name: String, role: Role, password: String, passwords: PasswordHasher) throws -> User {
    guard Username.isValid(name) else { throw ExitFailure.usage("the name \(Username.rule)") }
    guard Password.isValid(password) else { throw ExitFailure.usage("the password \(Password.rule)") }
    let hash = try passwords.hash(password)
    let user = try store.write {
      try Accounts.create(NewUser(username: name, role: role), passwordHash: hash, in: $0)
    }
    guard let user else { throw ExitFailure.usage("the name '\(name)' is taken") }
    return user
  }

  /// The user that a token is to be made for.
  public func find(_ name: String) throws -> User {
    guard let user = try store.read({ try UserStore.credentials(of: name, in: $0) })?.user, !user.disabled
    else { throw ExitFailure.usage("there is no active user '\(name)'") }
    return user
  }

  /// An access token in a session of its own, so that its user can log out.
  public func token(for user: User, _ issuer: TokenIssuer) throws -> String {
    try store.write { try Self.token(for: user, issuer, in: $0) }
  }

  private static func token(for user: User, _ issuer: TokenIssuer, in db: Database) throws -> String {
    let now = Timestamp.now()
    let times = Session.Times(access: now.milliseconds + issuer.lifetime * 1000)
    let session = try Session.begin(for: user.id, times, now, in: db)
    return try issuer.issue(
      to: user.id, role: user.role, session: session, version: user.tokenVersion, now: now)
  }

  /// Clients without a password, named `prefix` and a number from 1, each with a token; those that are there already are
  /// found again.
  public func loadTestUsers(
    _ count: Int, prefix: String, _ issuer: TokenIssuer
  ) throws -> [(user: User, token: String)] {
    guard (1...1_000_000).contains(count) else { throw ExitFailure.usage("--load-test is 1 to 1000000") }
    guard Username.isValid("\(prefix)\(count)") else { throw ExitFailure.usage("the name \(Username.rule)") }
    return try store.write { db in
      try (1...count).map { number in
        let user = try Self.loadTestUser("\(prefix)\(number)", in: db)
        return (user, try Self.token(for: user, issuer, in: db))
      }
    }
  }

  /// One who was deleted left the name free, and is made anew.
  private static func loadTestUser(_ name: String, in db: Database) throws -> User {
    let new = NewUser(username: name, role: .client)
    if let user = try UserStore.insert(new, passwordHash: nil, in: db) { return user }
    guard let user = try UserStore.credentials(of: name, in: db)?.user, !user.disabled else {
      throw ExitFailure.usage("the user '\(name)' is disabled: choose another --prefix")
    }
    return user
  }
}
