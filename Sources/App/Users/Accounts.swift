import GRDB

/// The changes of users that reach further than their rows: tokens, sessions, support conversations, devices. Each runs
/// inside one transaction.
enum Accounts {
  /// - Returns: nil if the name is taken.
  static func create(_ new: NewUser, passwordHash: String?, in db: Database) throws -> User? {
    guard let user = try UserStore.insert(new, passwordHash: passwordHash, in: db) else { return nil }
    if user.role == .admin { try SupportConversations.join(user.id, in: db) }
    return user
  }

  /// The same where others may be looking.
  static func create(_ new: NewUser, passwordHash: String?, in transaction: Transaction) throws -> User? {
    guard let user = try UserStore.insert(new, passwordHash: passwordHash, in: transaction.db) else {
      return nil
    }
    if user.role == .admin { try SupportConversations.join(user.id, in: transaction) }
    return user
  }

  /// A token is checked when the head of its request has come. Its rights may have ended while the body was on its way.
  static func confirm(_ caller: Caller, in db: Database) throws {
    guard let user = try UserStore.find(caller.user, in: db), !user.disabled, user.role == caller.role,
      try !Session.hasEnded(caller.session, in: db)
    else {
      throw BearerGate.unauthorized(.revoked)
    }
  }

  /// - Parameters:
  ///   - passwordHash: nil if the password stays.
  /// - Throws: `conflict` if nobody would be left to administer.
  static func update(
    _ present: User, with patch: UserPatch, passwordHash: String?, in transaction: Transaction
  ) throws -> User {
    let new = patch.applied(to: present)
    if new.role != .admin || new.disabled { try checkNotLast(present, in: transaction.db) }
    try UserStore.update(new, passwordHash: passwordHash, in: transaction.db)
    transaction.announce(.userChanged(new.id))
    if new.role != present.role { try changeSupport(new, in: transaction) }
    if passwordHash != nil || (new.disabled && !present.disabled) {
      try revoke(present.id, .sessionsEnded, in: transaction)
    } else if new.role != present.role {
      try revoke(present.id, .roleChanged, in: transaction)
    }
    return new
  }

  /// - Throws: `conflict` if nobody would be left to administer.
  static func delete(_ user: User, in transaction: Transaction) throws {
    try checkNotLast(user, in: transaction.db)
    try UserStore.delete(user.id, in: transaction.db)
    transaction.announce(.userChanged(user.id))
    try revoke(user.id, .sessionsEnded, in: transaction)
    let devices = try Int64.fetchAll(
      transaction.db, sql: "UPDATE devices SET owner_id = NULL WHERE owner_id = ? RETURNING id",
      arguments: [user.id])
    for device in devices { transaction.deviceChanged(device) }
  }

  private static func checkNotLast(_ user: User, in db: Database) throws {
    guard user.role == .admin, !user.disabled else { return }
    guard try UserStore.hasOtherAdministrator(than: user.id, in: db) else {
      throw Problem(
        .conflict, detail: "This is the last active administrator. Make another one administrator first.")
    }
  }

  private static func changeSupport(_ user: User, in transaction: Transaction) throws {
    switch user.role {
    case .admin: try SupportConversations.join(user.id, in: transaction)
    case .client: try SupportConversations.leave(user.id, in: transaction)
    }
  }

  private static func revoke(
    _ user: Int64, _ revocation: Revocation, in transaction: Transaction
  ) throws {
    if revocation == .sessionsEnded { try Session.endAll(of: user, in: transaction.db) }
    let version = try UserStore.raiseTokenVersion(user, in: transaction.db)
    transaction.announce(.tokensRevoked(user: user, version: version, revocation))
  }
}
