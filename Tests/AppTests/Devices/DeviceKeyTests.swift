import Foundation
import GRDB
import Reactor
import Testing

@testable import App

@Suite struct DeviceKeyTests {
  private let fixture: DeviceFixture

  init() async throws {
    fixture = try DeviceFixture()
    for _ in 0..<2 { _ = await fixture.create(#"{"name": "a"}"#) }
  }

  private func create(_ body: String = "{}", on device: String = "d1", key: String? = nil) async -> Response {
    let fields = key.map { [("idempotency-key", $0)] } ?? []
    return await fixture.keys.create(fixture.request(body, [device], fields: fields))
  }

  private func device(_ response: Response) throws -> Int64? {
    let token = try #require(response.json["token"] as? String)
    return try fixture.services.store.read {
      try DeviceKeyStore.device(forDigest: DeviceToken.digest(token), in: $0)
    }
  }

  @Test func `a key is for its device, until it is deleted`() async throws {
    let response = await create(#"{"name": " gateway "}"#, on: "d2")
    #expect(response.status == .created)
    #expect(response.value(of: "cache-control") == "no-store")
    #expect(response.value(of: "location") == "/api/v1/devices/d2/keys/k1")
    #expect(Set(response.json.keys) == ["id", "name", "token", "created_at"])
    #expect(response.json["name"] as? String == "gateway")
    let token = try #require(response.json["token"] as? String)
    #expect(token.wholeMatch(of: #/wlk_[A-Za-z0-9_-]{43}/#) != nil)
    #expect(try device(response) == 2)
    #expect(await fixture.keys.delete(fixture.request("", ["d1", "k1"])).status == .notFound)
    #expect(await fixture.keys.delete(fixture.request("", ["d2", "k1"])).status == .noContent)
    #expect(try device(response) == nil)
    #expect(await fixture.keys.delete(fixture.request("", ["d2", "k1"])).status == .notFound)
  }

  @Test func `the list shows no token`() async throws {
    for name in ["a", "b", "c"] { _ = await create(#"{"name": "\#(name)"}"#) }
    _ = await create("{}", on: "d2")
    let first = fixture.keys.list(fixture.request("", ["d1"], query: "limit=2"))
    let items = try #require(first.json["items"] as? [[String: Any]])
    #expect(items.compactMap { $0["id"] as? String } == ["k1", "k2"])
    #expect(items.allSatisfy { Set($0.keys) == ["id", "name", "created_at"] })
    let cursor = try #require(first.json["next_cursor"] as? String)
    let second = fixture.keys.list(fixture.request("", ["d1"], query: "limit=2&cursor=\(cursor)"))
    #expect((second.json["items"] as? [[String: Any]])?.compactMap { $0["id"] as? String } == ["k3"])
    #expect(second.json["next_cursor"] is NSNull)
  }

  @Test func `a retry gets the token again, which is in no row`() async throws {
    let first = await create(key: "k")
    let again = await create(key: "k")
    #expect(again.body == first.body && again.value(of: "idempotent-replayed") == "true")
    #expect(again.value(of: "cache-control") == "no-store")
    #expect(try device(again) == 1)
    let elsewhere = await create(on: "d2", key: "k")
    #expect(elsewhere.json["type"] as? String == "/problems/idempotency-conflict")
    let stored = try fixture.services.store.read {
      try String.fetchAll($0, sql: "SELECT CAST(body AS TEXT) FROM idempotency_keys")
    }
    #expect(stored.count == 1 && !stored[0].contains("wlk_"))
    #expect(!stored[0].contains(try #require(first.json["token"] as? String).dropFirst(4)))
  }

  @Test func `a key that comes again after its day makes another token`() async throws {
    let first = await create(key: "k")
    try fixture.services.store.write { try $0.execute(sql: "UPDATE idempotency_keys SET created_at = 0") }
    let second = await create(key: "k")
    #expect(second.status == .created)
    #expect(first.json["token"] as? String != second.json["token"] as? String)
    #expect(try device(first) == 1 && device(second) == 1)
  }

  @Test(arguments: [#"{"name": ""}"#, #"{"name": 7}"#, #"{"name": "a\nb"}"#])
  func `a wrong name is named`(_ body: String) async {
    let response = await create(body)
    #expect(response.status == .unprocessableContent && response.pointers == ["/name"])
  }
}

@Suite struct MeasurementGateTests {
  private let key = SigningKey(bytes: Array(0..<32))!
  private static let token = DeviceToken.text(Array(repeating: 7, count: 32))

  /// What the request got as its context, or the refusal's status.
  private func outcome(_ authorization: String?, _ gate: (TokenVerifier) -> Gate) -> String {
    let gate = gate(TokenVerifier(key: key))
    let fields = authorization.map { [("Authorization", $0)] } ?? []
    switch TestRequest.with(fields: fields, { gate($0) }) {
    case .pass(let context as Caller): return "\(context.role)"
    case .pass(let context as DeviceCredential): return context.digest
    case .pass: return "nobody"
    case .refuse(let response): return "\(response.status.rawValue)"
    }
  }

  private func bearer(_ role: Role) throws -> String {
    "Bearer " + (try TokenIssuer(key: key, lifetime: .seconds(60)).issue(to: 1, role: role))
  }

  @Test func `measurements come from administrators and device keys`() throws {
    #expect(try outcome(bearer(.admin), MeasurementGate.make) == "admin")
    #expect(try outcome(bearer(.client), MeasurementGate.make) == "403")
    #expect(outcome("bearer " + Self.token, MeasurementGate.make) == DeviceToken.digest(Self.token))
  }

  @Test func `elsewhere a device key is known and refused`() {
    #expect(outcome("Bearer " + Self.token) { BearerGate.make($0) } == "403")
    #expect(outcome("Bearer " + Self.token) { BearerGate.make($0, role: .admin) } == "403")
  }

  @Test(arguments: [
    nil, "Bearer", "Basic \(token)", "Bearer \(token)A", "Bearer \(token.dropLast())", "Bearer wlk_",
    // 32 bytes leave two bits unused in the last character, and they are 0.
    "Bearer \(token.dropLast())d", "Bearer WLK_\(token.dropFirst(4))", "Bearer \(token.dropLast())=",
  ])
  func `what only looks like a key is no token at all`(_ authorization: String?) {
    #expect(outcome(authorization, MeasurementGate.make) == "401")
    #expect(outcome(authorization) { BearerGate.make($0) } == "401")
  }
}
