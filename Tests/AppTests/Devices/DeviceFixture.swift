import Foundation
import GRDB
import Reactor
import Synchronization

@testable import App

/// A store with an administrator (u1) and two clients (u2, u3), and the routes of devices over it.
final class DeviceFixture {
  let directory: TemporaryDirectory
  let services: Services
  let signingKey = SigningKey(bytes: Array(0..<32))!
  let admin = Caller(user: 1, role: .admin, expiresAt: .max)
  let ann = Caller(user: 2, role: .client, expiresAt: .max)
  private let announced = Announced()

  private final class Announced: Sendable {
    let changes = Mutex<[Int64]>([])
  }

  /// The devices whose changes were announced, in order.
  var changes: [Int64] { announced.changes.withLock { $0 } }

  init() throws {
    directory = try TemporaryDirectory()
    let store = try Store(directory: directory.path, for: .command)
    let passwords = PasswordHasher(n: 2)
    let announced = announced
    services = Services(
      store: store,
      writer: Writer(store: store, committed: { _ in }) { news in
        for case .deviceChanged(let id) in news { announced.changes.withLock { $0.append(id) } }
      },
      readers: WorkerQueue(name: "reader"), cpu: WorkerQueue(name: "cpu"), passwords: passwords,
      tokens: TokenIssuer(key: signingKey, lifetime: .seconds(900)),
      refreshTokens: RefreshTokens(lifetime: 60_000, accessLifetime: 900_000))
    let administration = UserAdministration(store: store)
    for (name, role) in [("admin", Role.admin), ("ann", .client), ("bob", .client)] {
      _ = try administration.add(name, role: role, password: "correct horse", passwords: passwords)
    }
  }

  var devices: DeviceRoutes { DeviceRoutes(services: services) }
  var keys: DeviceKeyRoutes { DeviceKeyRoutes(services: services, signingKey: signingKey) }

  func request(
    _ body: String = "", _ parameters: [String] = [], fields: [(String, String)] = [], query: String? = nil,
    by caller: Caller? = nil
  ) -> Request {
    TestRequest.make(
      path: (["/api/v1/devices"] + parameters).joined(separator: "/"), query: query,
      fields: [("content-type", "application/json")] + fields,
      body: body,
      parameters: parameters, caller: caller ?? admin)
  }

  func create(_ body: String, fields: [(String, String)] = []) async -> Response {
    await devices.create(request(body, fields: fields))
  }

  func change(_ id: String, _ body: String, fields: [(String, String)] = []) async -> Response {
    await devices.change(request(body, [id], fields: fields))
  }

  /// The device as a `GET` shows it.
  func shown(_ id: Int64) throws -> Response? {
    try services.store.read { try ShownDevice.find(id, in: $0) }?.answer(for: admin)?.response(nil)
  }

  /// Stores one reading of a metric.
  func addReading(_ device: Int64, _ metric: String) throws {
    try services.store.write {
      try $0.execute(
        sql: """
          INSERT INTO readings (metric_id, ends_at, value)
          SELECT id, 900000, 1 FROM metrics WHERE device_id = ? AND name = ?
          """, arguments: [device, metric])
    }
  }
}

extension Response {
  var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:] }

  /// What a problem points at.
  var pointers: [String] {
    (json["errors"] as? [[String: Any]] ?? []).compactMap { $0["pointer"] as? String }
  }

  func value(of name: String) -> String? { fields.first { $0.name == name }?.value }
}
