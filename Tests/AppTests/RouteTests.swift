import Foundation
import Reactor
import Testing

@testable import App

/// A store with an administrator and a client, and the services over it.
private final class Fixture {
  let directory: TemporaryDirectory
  let services: Services
  let admin = Caller(user: 1, role: .admin, expiresAt: .max)
  let client = Caller(user: 2, role: .client, expiresAt: .max)
  let key = SigningKey(bytes: Array(0..<32))!

  init() throws {
    directory = try TemporaryDirectory()
    let store = try Store(directory: directory.path, for: .command)
    let passwords = PasswordHasher(n: 2)
    services = Services(
      store: store, writer: Writer(store: store, committed: { _ in }, announced: { _ in }),
      readers: WorkerQueue(name: "reader"),
      cpu: WorkerQueue(name: "cpu"),
      passwords: passwords, tokens: TokenIssuer(key: key, lifetime: .seconds(900)),
      refreshTokens: RefreshTokens(lifetime: 60_000, accessLifetime: 900_000))
    let administration = UserAdministration(store: store)
    for (name, role) in [("admin", Role.admin), ("ann", .client)] {
      _ = try administration.add(name, role: role, password: "correct horse", passwords: passwords)
    }
  }

  func login(_ body: String, type: String? = "application/json; charset=utf-8") async -> Response {
    let fields = type.map { [("content-type", $0)] } ?? []
    return await AuthRoutes(services: services).login(TestRequest.make(fields: fields, body: body))
  }
}

extension Response {
  fileprivate var object: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
  }

  fileprivate func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

@Suite struct LoginTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test func `the right password gives a token for that user`() async throws {
    let response = await fixture.login(#"{"username": "ANN", "password": "correct horse", "x": 1}"#)
    #expect(response.status == .ok)
    #expect(response.field("cache-control") == "no-store")
    let object = response.object
    #expect(object["token_type"] as? String == "Bearer")
    #expect(object["expires_in"] as? Int == 900)
    #expect((object["user"] as? [String: Any])?["id"] as? String == "u2")
    let token = try #require(object["access_token"] as? String)
    let verifier = TokenVerifier(key: fixture.key)
    let caller = try Array(token.utf8).withUnsafeBytes { try verifier.verify($0) }
    #expect(caller.user == 2 && caller.role == .client)
  }

  @Test func `every wrong log-in gets the same answer`() async throws {
    _ = try UserAdministration(store: fixture.services.store).loadTestUsers(
      1, prefix: "load", fixture.services.tokens)
    try fixture.services.store.write {
      try $0.execute(
        sql: """
          INSERT INTO users (username, username_folded, display_name, role, disabled, password_hash, created_at)
          SELECT 'off', 'off', 'off', 'client', 1, password_hash, 0 FROM users WHERE id = 2
          """)
    }
    var bodies: Set<[UInt8]> = []
    for name in ["ann", "nobody", "load1", "a b", "", "\u{e9}"] {
      let response = await fixture.login(#"{"username": "\#(name)", "password": "wrong horse"}"#)
      #expect(response.status == .unauthorized)
      #expect(response.field("www-authenticate") == #"Bearer realm="wattloop""#)
      bodies.insert(response.body)
    }
    bodies.insert(await fixture.login(#"{"username": "off", "password": "correct horse"}"#).body)
    #expect(bodies.count == 1)
    #expect(bodies.first.map { String(decoding: $0, as: UTF8.self) }?.contains("invalid-credentials") == true)
  }

  @Test(
    arguments: [
      ("{", "application/json", 400), ("null", "application/json", 422), ("[]", "application/json", 422),
      ("{}", "application/json", 422), (#"{"username": 1, "password": 2}"#, "application/json", 422),
      ("{}", "text/plain", 415), ("{}", "application/jsonp", 415), ("{}", nil, 415),
      ("", "application/json", 400),
    ] as [(String, String?, UInt16)])
  func `a wrong body is named`(_ body: String, _ type: String?, _ status: UInt16) async {
    #expect(await fixture.login(body, type: type).status.rawValue == status)
  }

  @Test func `a full queue is busy`() async {
    fixture.services.cpu.close()
    let response = await fixture.login(#"{"username": "ann", "password": "correct horse"}"#)
    #expect(response.status == .serviceUnavailable)
    #expect(response.field("retry-after") == "1")
  }
}

@Suite struct UserRouteTests {
  private let fixture: Fixture
  private var list: UserListRoute { UserListRoute(services: fixture.services) }

  /// What that caller is shown of a user.
  private func show(_ id: Int64, to caller: Caller, _ condition: String? = nil) throws -> Response? {
    try fixture.services.store.read { try ShownUser.find(id, in: $0) }?.answer(for: caller)?.response(
      condition)
  }

  init() throws { fixture = try Fixture() }

  private func create(_ body: String) async -> Response {
    await UserChangeRoutes(services: fixture.services).create(
      TestRequest.make(fields: [("Content-Type", "application/json")], body: body, caller: fixture.admin))
  }

  @Test func `a new user has a place, and can log in`() async throws {
    let body =
      #"{"username": "Bob", "password": "battery staple", "role": "client", "email": "b@example.org"}"#
    let response = await create(body)
    #expect(response.status == .created)
    let id = try #require(response.object["id"] as? String)
    #expect(response.field("location") == "/api/v1/users/\(id)")
    #expect(response.object["email"] as? String == "b@example.org")
    #expect(!response.object.keys.contains { $0.contains("password") })
    #expect(await fixture.login(#"{"username": "bob", "password": "battery staple"}"#).status == .ok)
    let again = await create(body)
    #expect(again.status == .conflict)
    #expect(again.object["type"] as? String == "/problems/conflict")
  }

  @Test func `an administrator sees all of every user, a client of itself alone`() throws {
    func keys(_ caller: Caller, _ id: Int64) throws -> Int? { try show(id, to: caller)?.object.count }
    #expect(try keys(fixture.admin, 2) == 7)
    #expect(try keys(fixture.client, 2) == 7)
    #expect(try keys(fixture.client, 1) == 3)
    #expect(try show(99, to: fixture.admin) == nil)
  }

  @Test func `a user that did not change is not sent again`() throws {
    let tag = try #require(try show(2, to: fixture.client)?.field("etag"))
    let same = try #require(try show(2, to: fixture.client, tag))
    #expect(same.status == .notModified && same.body.isEmpty && same.field("etag") == tag)
    #expect(try show(2, to: fixture.client, #""x""#)?.status == .ok)
    // Who sees less has another tag.
    #expect(try show(1, to: fixture.client)?.field("etag") != show(1, to: fixture.admin)?.field("etag"))
  }

  @Test func `the list is read page by page`() throws {
    _ = try UserAdministration(store: fixture.services.store).loadTestUsers(
      3, prefix: "load", fixture.services.tokens)
    var names: [String] = []
    var query: String? = "limit=2&q=LO"
    while let current = query {
      let response = list.get(TestRequest.make(query: current, caller: fixture.client))
      let items = try #require(response.object["items"] as? [[String: Any]])
      names += items.compactMap { $0["username"] as? String }
      let cursor = response.object["next_cursor"] as? String
      #expect((cursor == nil) == (response.field("link") == nil))
      query = response.field("link").flatMap { link in
        #expect(link.hasPrefix("</api/v1/users?") && link.hasSuffix(#">; rel="next""#))
        return link.split(separator: "?").last?.split(separator: ">").first.map(String.init)
      }
    }
    #expect(names == ["load1", "load2", "load3"])
    let all = list.get(TestRequest.make(caller: fixture.admin)).object
    #expect((all["items"] as? [[String: Any]])?.first?.count == 7)
    #expect(all["next_cursor"] is NSNull)
  }
}

@Suite struct BearerGateTests {
  private let key = SigningKey(bytes: Array(0..<32))!

  /// The caller, or the refusal's status and challenge.
  private func outcome(_ authorization: String?, role: Role? = nil) -> String {
    let gate = BearerGate.make(TokenVerifier(key: key), role: role)
    let fields = authorization.map { [("Authorization", $0)] } ?? []
    switch TestRequest.with(fields: fields, { gate($0) }) {
    case .pass(let context): return (context as? Caller).map { "\($0.role)" } ?? "nobody"
    case .refuse(let response):
      return "\(response.status.rawValue) \(response.field("www-authenticate") ?? "")"
    }
  }

  private func bearer(_ role: Role, lifetime: Duration = .seconds(60), now: Timestamp = .now()) throws
    -> String
  {
    "Bearer " + (try TokenIssuer(key: key, lifetime: lifetime).issue(to: 1, role: role, now: now))
  }

  @Test func `a valid token passes, and its role counts`() throws {
    #expect(try outcome(bearer(.client)) == "client")
    #expect(try outcome(bearer(.admin), role: .admin) == "admin")
    #expect(
      try outcome(bearer(.client), role: .admin)
        == #"403 Bearer realm="wattloop", error="insufficient_scope""#)
  }

  @Test(arguments: [nil, "Basic YTpi", "", "Bearerx"])
  func `without a token the challenge names no error`(_ value: String?) {
    #expect(outcome(value) == #"401 Bearer realm="wattloop""#)
  }

  @Test(arguments: ["Bearer", "Bearer x", "Bearer a.b.c"])
  func `a bad token is named`(_ value: String) {
    #expect(outcome(value).hasPrefix(#"401 Bearer realm="wattloop", error="invalid_token""#))
  }

  @Test func `an expired token is named`() throws {
    let value = try bearer(.client, now: Timestamp(milliseconds: Timestamp.now().milliseconds - 3_600_000))
    #expect(outcome(value).hasSuffix(#"error="invalid_token", error_description="The access token expired""#))
  }
}
