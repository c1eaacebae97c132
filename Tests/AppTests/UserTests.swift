import Foundation
import Testing

@testable import App

@Suite struct UserStoreTests {
  private let directory: TemporaryDirectory
  private let store: Store

  init() throws {
    directory = try TemporaryDirectory()
    store = try Store(directory: directory.path, for: .command)
  }

  private func add(_ name: String, hash: String? = nil) throws -> User? {
    try store.write {
      try UserStore.insert(NewUser(username: name, role: .client), passwordHash: hash, in: $0)
    }
  }

  private func names(prefix: String = "", after: String? = nil, limit: Int = 10) throws -> [String] {
    try store.read { try UserStore.page(prefix: prefix, after: after, limit: limit, in: $0) }.map(\.username)
  }

  @Test func `a user is found by id and by name, without case`() throws {
    let user = try #require(try add("Ann.Lee", hash: "h"))
    #expect(try store.read { try UserStore.find(user.id, in: $0) } == user)
    let found = try store.read { try UserStore.credentials(of: "aNN.lEE", in: $0) }
    #expect(found?.user == user)
    #expect(found?.passwordHash == "h")
    #expect(try store.read { try UserStore.credentials(of: "ann", in: $0) } == nil)
  }

  @Test func `a name is taken without case`() throws {
    _ = try add("ann")
    #expect(try add("ANN") == nil)
    #expect(try names() == ["ann"])
  }

  @Test func `a deleted user is not found, and the name is free`() throws {
    let user = try #require(try add("ann", hash: "h"))
    try store.write { try UserStore.delete(user.id, in: $0) }
    #expect(try store.read { try UserStore.find(user.id, in: $0) } == nil)
    #expect(try store.read { try UserStore.credentials(of: "ann", in: $0) } == nil)
    #expect(try names() == [])
    let second = try #require(try add("ann"))
    #expect(second.id != user.id)
    try store.write { try UserStore.delete(second.id, in: $0) }
  }

  @Test func `pages follow the names`() throws {
    for name in ["c", "B", "a", "bc", "b-", "zz"] { _ = try add(name) }
    #expect(try names() == ["a", "B", "b-", "bc", "c", "zz"])
    #expect(try names(limit: 2) == ["a", "B"])
    #expect(try names(after: "b", limit: 2) == ["b-", "bc"])
    #expect(try names(prefix: "b") == ["B", "b-", "bc"])
    #expect(try names(prefix: "B", after: "b-") == ["bc"])
    #expect(try names(prefix: "%") == [])
    #expect(try names(prefix: "é'\u{0}") == [])
  }

  @Test func `only a user with a password can log in`() throws {
    #expect(try !store.read(UserStore.hasLogin))
    _ = try add("load1")
    #expect(try !store.read(UserStore.hasLogin))
    _ = try add("ann", hash: "h")
    #expect(try store.read(UserStore.hasLogin))
  }

  @Test func `the administrator is made once, with the given password`() throws {
    let passwords = PasswordHasher(n: 2)
    let environment = ["WATTLOOP_ADMIN_PASSWORD": "correct horse"]
    _ = try add("load1")
    let shown = try FirstStart.createAdmin(in: store, passwords: passwords, environment: environment)
    #expect(shown == nil)
    let admin = try store.read { try UserStore.credentials(of: "admin", in: $0) }
    #expect(admin?.user.role == .admin)
    #expect(try passwords.verify("correct horse", against: admin?.passwordHash))
    #expect(try FirstStart.createAdmin(in: store, passwords: passwords, environment: [:]) == nil)
  }

  @Test func `a password that is not given is generated and shown`() throws {
    let passwords = PasswordHasher(n: 2)
    let shown = try #require(
      try FirstStart.createAdmin(
        in: store, passwords: passwords, environment: ["WATTLOOP_ADMIN_PASSWORD": ""]))
    let admin = try store.read { try UserStore.credentials(of: "admin", in: $0) }
    #expect(try passwords.verify(shown, against: admin?.passwordHash))
  }

  @Test func `an administrator's password against the rules is a wrong setting`() throws {
    #expect(throws: ConfigurationError.self) {
      try FirstStart.createAdmin(
        in: store, passwords: PasswordHasher(n: 2), environment: ["WATTLOOP_ADMIN_PASSWORD": "short"])
    }
  }

  @Test func `users for load tests are found again`() throws {
    let administration = UserAdministration(store: store)
    let issuer = TokenIssuer(key: SigningKey(bytes: Array(0..<32))!, lifetime: .seconds(60))
    let first = try administration.loadTestUsers(3, prefix: "load", issuer).map(\.user)
    #expect(first.map(\.username) == ["load1", "load2", "load3"])
    try store.write { try UserStore.delete(first[2].id, in: $0) }
    let second = try administration.loadTestUsers(4, prefix: "load", issuer).map(\.user)
    #expect(second.map(\.username) == ["load1", "load2", "load3", "load4"])
    #expect(second[..<2] == first[..<2] && second[2].id != first[2].id)
    try store.write { try $0.execute(sql: "UPDATE users SET disabled = 1 WHERE username = 'load2'") }
    #expect(throws: ExitFailure.self) { try administration.loadTestUsers(4, prefix: "load", issuer) }
  }

  @Test func `the commands keep the rules`() throws {
    let administration = UserAdministration(store: store)
    let passwords = PasswordHasher(n: 2)
    _ = try administration.add("ann", role: .client, password: "correct horse", passwords: passwords)
    for (name, password) in [("a b", "correct horse"), ("bob", "short"), ("ANN", "correct horse")] {
      let failure = #expect(throws: ExitFailure.self) {
        try administration.add(name, role: .client, password: password, passwords: passwords)
      }
      #expect(failure?.code == 64)
    }
    #expect(try administration.find("Ann").username == "ann")
    #expect(throws: ExitFailure.self) { try administration.find("bob") }
    let issuer = TokenIssuer(key: SigningKey(bytes: Array(0..<32))!, lifetime: .seconds(60))
    #expect(throws: ExitFailure.self) { try administration.loadTestUsers(0, prefix: "load", issuer) }
    #expect(throws: ExitFailure.self) { try administration.loadTestUsers(1, prefix: "a b", issuer) }
  }
}

@Suite struct NewUserTests {
  private func make(_ json: String) throws -> NewUser {
    try NewUser(JSON.decode(NewUser.Body.self, from: Array(json.utf8)))
  }

  private func pointers(_ json: String) -> [String] {
    do {
      _ = try make(json)
      return []
    } catch { return (error as? Problem)?.errors.map(\.pointer) ?? ["?"] }
  }

  @Test func `a user needs a name, a password and a role, and is shown by its name`() throws {
    let user = try make(
      #"{"username": "ann", "password": "correct horse", "role": "client", "shoe_size": 38}"#)
    #expect(user.displayName == "ann")
    #expect(user.email == nil)
    #expect(user.role == .client)
  }

  @Test func `one answer names all that is missing`() {
    #expect(pointers("{}") == ["/username", "/password", "/role"])
  }

  @Test(arguments: [
    ("username", #""""#), ("username", #""a b""#), ("username", #""é""#), ("username", #""a\u0000""#),
    ("username", "1"),
    ("password", #""short""#), ("role", #""root""#), ("role", "true"), ("display_name", #""  ""#),
    ("display_name", #""a\nb""#), ("email", #""x""#), ("email", #""a@""#), ("email", #""a b@c""#),
    ("email", "[]"),
  ])
  func `a wrong field is named`(_ field: String, _ value: String) {
    var fields = ["username": #""ann""#, "password": #""correct horse""#, "role": #""admin""#]
    fields[field] = value
    let json = "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    #expect(pointers(json).contains("/\(field)"))
  }

  @Test(arguments: [("a", true), ("A-z_0.9", true), (String(repeating: "x", count: 64), true)])
  func `a name is of letters, digits and three signs`(_ name: String, _ valid: Bool) {
    #expect(Username.isValid(name) == valid)
    #expect(!Username.isValid(String(repeating: "x", count: 65)))
  }

  @Test func `the full form has every member, and the profile three`() throws {
    let user = User(
      id: 12, username: "ann", displayName: "Ann", email: nil, role: .client, disabled: false,
      createdAt: Timestamp(milliseconds: 0))
    #expect(
      String(decoding: try JSON.encode(User.Full(user: user)), as: UTF8.self)
        == #"{"created_at":"1970-01-01T00:00:00.000Z","disabled":false,"display_name":"Ann","email":null,"#
        + #""id":"u12","role":"client","username":"ann"}"#)
    #expect(
      String(decoding: try JSON.encode(User.Profile(user)), as: UTF8.self)
        == #"{"display_name":"Ann","id":"u12","username":"ann"}"#)
  }
}

@Suite struct EmailAddressTests {
  @Test func `an address is at most 254 characters long, not bytes`() {
    let name = String(repeating: "é", count: 249)
    #expect(EmailAddress.isValid(name + "@a.bc"))
    #expect(!EmailAddress.isValid(name + "@a.bcd"))
  }
}
