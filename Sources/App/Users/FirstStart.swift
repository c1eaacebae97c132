/// The administrator of a new store.
public enum FirstStart {
  static let variable = "WATTLOOP_ADMIN_PASSWORD"

  /// Creates `admin` if nobody could log in.
  /// - Returns: the password if it had to be generated, to be shown once.
  /// - Throws: `ConfigurationError` for a password in the environment that is against the rules.
  public static func createAdmin(
    in store: Store, passwords: PasswordHasher, environment: [String: String]
  ) throws -> String? {
    guard try !store.read(UserStore.hasLogin) else { return nil }
    let given = environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    if let given, !Password.isValid(given) {
      throw ConfigurationError.message("\(variable) \(Password.rule)")
    }
    let password = given ?? Password.generate()
    let hash = try passwords.hash(password)
    let user = try store.write { db in
      try Accounts.create(NewUser(username: "admin", role: .admin), passwordHash: hash, in: db)
    }
    return user == nil || given != nil ? nil : password
  }
}

extension Password {
  /// 144 random bits in 24 characters that every keyboard has.
  public static func generate() -> String { Base64URL.encode(RandomBytes.make(18)) }
}
