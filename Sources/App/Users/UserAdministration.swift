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
      try UserStore.insert(NewUser(username: name, role: role), passwordHash: hash, in: $0)
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

  /// Clients without a password, named `prefix` and a number from 1; those that are there already are found
  /// again.
  public func loadTestUsers(_ count: Int, prefix: String) throws -> [User] {
    guard (1...1_000_000).contains(count) else { throw ExitFailure.usage("--load-test is 1 to 1000000") }
    guard Username.isValid("\(prefix)\(count)") else { throw ExitFailure.usage("the name \(Username.rule)") }
    return try store.write { db in
      try (1...count).map { number in
        let new = NewUser(username: "\(prefix)\(number)", role: .client)
        if let user = try UserStore.insert(new, passwordHash: nil, in: db) { return user }
        guard let user = try UserStore.credentials(of: new.username, in: db)?.user else {
          throw ExitFailure.usage("the user '\(new.username)' was deleted: choose another --prefix")
        }
        return user
      }
    }
  }
}
