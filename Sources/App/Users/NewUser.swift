import Foundation

/// A user to be made, checked.
struct NewUser: Sendable, Equatable {
  let username: String
  let displayName: String
  let email: String?
  let role: Role
  let disabled: Bool

  /// For the commands: a name that is known to be valid, and nothing else.
  init(username: String, displayName: String? = nil, role: Role) {
    self.username = username
    self.displayName = displayName ?? username
    email = nil
    self.role = role
    disabled = false
  }

  /// The body of `POST /users`. Everything is optional here, so that one answer can name all that is missing.
  struct Body: Decodable {
    let username: String?
    let password: String?
    let displayName: String?
    let role: String?
    let email: String?
    let disabled: Bool?

    private enum CodingKeys: String, CodingKey {
      case username, password, role, email, disabled
      case displayName = "display_name"
    }
  }

  /// - Throws: `validation` with every field that is wrong.
  init(_ body: Body) throws(Problem) {
    var errors = FieldErrors()
    username = errors.require(body.username, "/username", Username.rule, Username.isValid)
    _ = errors.require(body.password, "/password", Password.rule, Password.isValid)
    let name = body.displayName.map(DisplayName.trimmed)
    errors.check(name, "/display_name", DisplayName.rule, DisplayName.isValid)
    displayName = name ?? username
    email = body.email
    errors.check(body.email, "/email", EmailAddress.rule, EmailAddress.isValid)
    role = body.role.flatMap(Role.init) ?? .client
    _ = errors.require(body.role, "/role", Role.rule) { Role(rawValue: $0) != nil }
    disabled = body.disabled ?? false
    try errors.throwIfAny()
  }
}

/// The rule for the names that users are shown by.
enum DisplayName {
  static let rule = "must be 1 to 100 characters, without control characters"

  static func trimmed(_ name: String) -> String { name.trimmingCharacters(in: .whitespacesAndNewlines) }

  static func isValid(_ name: String) -> Bool {
    (1...100).contains(name.unicodeScalars.count)
      && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }
}

/// The rule for e-mail addresses. Only the form: whether mail arrives there is not for a pattern to say.
enum EmailAddress {
  static let rule = "must be an e-mail address"

  static func isValid(_ address: String) -> Bool {
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    return address.unicodeScalars.count <= 254 && parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
      && address.unicodeScalars.allSatisfy {
        $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace
      }
  }
}

extension Role {
  static let rule = "must be 'admin' or 'client'"
}

/// The rule for passwords.
public enum Password {
  static let rule = "must be 8 to 256 characters"

  /// A character is a Unicode code point here (NIST SP 800-63B §5.1.1.2).
  public static func isValid(_ password: String) -> Bool {
    (8...256).contains(password.unicodeScalars.count)
  }
}
