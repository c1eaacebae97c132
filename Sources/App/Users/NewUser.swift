import Foundation

/// A user to be made, checked.
struct NewUser: Sendable, Equatable {
  let username: String
  let displayName: String
  let email: String?
  let role: Role

  /// For the commands: a name that is known to be valid, and nothing else.
  init(username: String, displayName: String? = nil, role: Role) {
    self.username = username
    self.displayName = displayName ?? username
    email = nil
    self.role = role
  }

  /// The body of `POST /users`. Everything is optional here, so that one answer can name all that is missing.
  struct Body: Decodable {
    let username: String?
    let password: String?
    let displayName: String?
    let role: String?
    let email: String?

    private enum CodingKeys: String, CodingKey {
      case username, password, role, email
      case displayName = "display_name"
    }
  }

  /// - Throws: `validation` with every field that is wrong.
  init(_ body: Body) throws(Problem) {
    var errors = FieldErrors()
    username = errors.require(body.username, "/username", Username.rule, Username.isValid)
    _ = errors.require(body.password, "/password", Password.rule, Password.isValid)
    let name = body.displayName?.trimmingCharacters(in: .whitespacesAndNewlines)
    errors.check(name, "/display_name", Self.nameRule, Self.isDisplayName)
    displayName = name ?? username
    email = body.email
    errors.check(body.email, "/email", "must be an e-mail address", Self.isEmail)
    role = body.role.flatMap(Role.init) ?? .client
    _ = errors.require(body.role, "/role", "must be 'admin' or 'client'") { Role(rawValue: $0) != nil }
    try errors.throwIfAny()
  }

  private static let nameRule = "must be 1 to 100 characters, without control characters"

  private static func isDisplayName(_ name: String) -> Bool {
    (1...100).contains(name.unicodeScalars.count)
      && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  /// Only the form: whether mail arrives there is not for a pattern to say.
  private static func isEmail(_ address: String) -> Bool {
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    return address.utf8.count <= 254 && parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
      && address.unicodeScalars.allSatisfy {
        $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace
      }
  }
}

/// The rule for passwords.
public enum Password {
  static let rule = "must be 8 to 256 characters"

  /// A character is a Unicode code point here (NIST SP 800-63B §5.1.1.2).
  public static func isValid(_ password: String) -> Bool {
    (8...256).contains(password.unicodeScalars.count)
  }
}
