/// A merge patch (RFC 7396) of a user, checked. nil: the field stays.
struct UserPatch: Sendable {
  let displayName: String?
  let email: FieldChange<String>
  let role: Role?
  let disabled: Bool?
  let password: String?
  /// What a user shows to set another password of their own.
  let currentPassword: String?

  /// What nobody may set.
  static let readOnly: Set = ["id", "username", "created_at"]

  static func forbidden(to role: Role) -> Set<String> {
    switch role {
    case .admin: readOnly
    case .client: readOnly.union(["role", "disabled"])
    }
  }

  struct Body: Decodable {
    let displayName: FieldChange<String>
    let email: FieldChange<String>
    let role: FieldChange<String>
    let disabled: FieldChange<Bool>
    let password: FieldChange<String>
    let currentPassword: String?

    private enum CodingKeys: String, CodingKey {
      case email, role, disabled, password
      case displayName = "display_name"
      case currentPassword = "current_password"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      displayName = try container.change(String.self, forKey: .displayName)
      email = try container.change(String.self, forKey: .email)
      role = try container.change(String.self, forKey: .role)
      disabled = try container.change(Bool.self, forKey: .disabled)
      password = try container.change(String.self, forKey: .password)
      currentPassword = try container.decodeIfPresent(String.self, forKey: .currentPassword)
    }
  }

  /// - Throws: `validation` with every field that is wrong.
  init(_ body: Body) throws(Problem) {
    var errors = FieldErrors()
    displayName = errors.value(body.displayName, "/display_name").map(DisplayName.trimmed)
    errors.check(displayName, "/display_name", DisplayName.rule, DisplayName.isValid)
    email = body.email
    errors.check(email.applied(to: nil), "/email", EmailAddress.rule, EmailAddress.isValid)
    let roleName = errors.value(body.role, "/role")
    errors.check(roleName, "/role", Role.rule) { Role(rawValue: $0) != nil }
    role = roleName.flatMap(Role.init)
    disabled = errors.value(body.disabled, "/disabled")
    password = errors.value(body.password, "/password")
    errors.check(password, "/password", Password.rule, Password.isValid)
    currentPassword = body.currentPassword
    try errors.throwIfAny()
  }

  /// The user as the patch leaves it.
  func applied(to user: User) -> User {
    User(
      id: user.id, username: user.username, displayName: displayName ?? user.displayName,
      email: email.applied(to: user.email), role: role ?? user.role, disabled: disabled ?? user.disabled,
      createdAt: user.createdAt, tokenVersion: user.tokenVersion)
  }
}
