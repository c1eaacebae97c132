import Foundation
import GRDB
import Reactor
import Testing

@testable import App

@Suite struct DeviceRouteTests {
  private let fixture: DeviceFixture

  init() throws { fixture = try DeviceFixture() }

  private func metrics(_ response: Response) -> [String] {
    (response.json["metrics"] as? [[String: String]] ?? []).map {
      "\($0["name"] ?? "") \($0["kind"] ?? "") \($0["unit"] ?? "")"
    }
  }

  @Test func `a device has defaults, a place and a tag`() async throws {
    let response = await fixture.create(#"{"name": "  Cellar  ", "timezone": null, "colour": "red"}"#)
    #expect(response.status == .created)
    #expect(response.value(of: "location") == "/api/v1/devices/d1")
    #expect(response.value(of: "etag") == ETag.make(response.body))
    #expect(
      Set(response.json.keys) == [
        "id", "name", "address", "owner_id", "timezone", "metrics", "max_hourly_kwh", "created_at",
      ])
    #expect(response.json["name"] as? String == "Cellar")
    #expect(response.json["timezone"] as? String == "UTC")
    #expect(response.json["address"] is NSNull && response.json["max_hourly_kwh"] is NSNull)
    #expect(metrics(response) == ["energy interval kWh"])
    #expect(try fixture.shown(1)?.body == response.body)
    #expect(fixture.changes == [1])
  }

  @Test(
    arguments: [
      (#"{"name": " "}"#, ["/name"]), (#"{}"#, ["/name"]), (#"{"name": null}"#, ["/name"]),
      (#"{"name": 7}"#, ["/name"]), (#"{"name": "a\u0007b"}"#, ["/name"]), (#"[]"#, [""]),
      (#"{"name": "a", "timezone": "GMT+1"}"#, ["/timezone"]),
      (#"{"name": "a", "timezone": "Mars/Olympus"}"#, ["/timezone"]),
      (#"{"name": "a", "owner_id": "u99"}"#, ["/owner_id"]),
      (#"{"name": "a", "owner_id": "u0"}"#, ["/owner_id"]),
      (#"{"name": "a", "owner_id": "c1"}"#, ["/owner_id"]),
      (#"{"name": "", "owner_id": "u99"}"#, ["/name", "/owner_id"]),
      (#"{"name": "a", "max_hourly_kwh": 0}"#, ["/max_hourly_kwh"]),
      (#"{"name": "a", "max_hourly_kwh": 1e999}"#, ["/max_hourly_kwh"]),
      (#"{"name": "a", "max_hourly_kwh": 1000000.1}"#, ["/max_hourly_kwh"]),
      (#"{"name": "a", "max_hourly_kwh": "5"}"#, ["/max_hourly_kwh"]),
      (#"{"name": "a", "metrics": []}"#, ["/metrics"]), (#"{"name": "a", "metrics": {}}"#, ["/metrics"]),
      (#"{"name": "a", "metrics": [7]}"#, ["/metrics/0"]),
      (#"{"name": "a", "metrics": [{}]}"#, ["/metrics/0/name", "/metrics/0/kind"]),
      (
        #"{"name": "a", "metrics": [{"name": "p", "kind": "power", "unit": "kWh"}, {"name": "P", "kind": 1}]}"#,
        ["/metrics/0/unit", "/metrics/1/kind", "/metrics/1/name"]
      ),
      (
        #"{"name": "a", "metrics": [{"name": "p", "kind": "power"}, {"name": "p", "kind": "counter"}]}"#,
        ["/metrics/1/name"]
      ),
      (
        #"{"name": 1, "address": 2, "timezone": 3, "metrics": 4, "owner_id": 5, "max_hourly_kwh": "6"}"#,
        ["/address", "/max_hourly_kwh", "/metrics", "/name", "/owner_id", "/timezone"]
      ),
      (#"{"name": "a\u0000b", "address": "a\u0000b"}"#, ["/address", "/name"]),
    ] as [(String, [String])])
  func `all that is wrong is named in one answer`(_ body: String, _ pointers: [String]) async {
    let response = await fixture.create(body)
    #expect(response.status == .unprocessableContent)
    #expect(response.pointers.sorted() == pointers.sorted())
    #expect(fixture.changes.isEmpty)
  }

  @Test(arguments: [(0, 422), (1, 201), (16, 201), (17, 422)])
  func `a device has 1 to 16 metrics`(_ count: Int, _ status: UInt16) async {
    let list = (0..<count).map { #"{"name": "m\#($0)", "kind": "counter", "unit": "Wh"}"# }
    let response = await fixture.create(#"{"name": "a", "metrics": [\#(list.joined(separator: ","))]}"#)
    #expect(response.status.rawValue == status)
    if status == 422 { #expect(response.pointers == ["/metrics"]) }
  }

  @Test(arguments: ["id", "created_at"])
  func `what the server sets nobody else does`(_ field: String) async {
    for response in [
      await fixture.create(#"{"name": "a", "\#(field)": "d9"}"#),
      await fixture.change("d1", #"{"\#(field)": null}"#),
    ] {
      #expect(response.status == .forbidden)
      #expect(response.pointers == ["/\(field)"])
    }
  }

  @Test func `the same key makes one device`() async throws {
    let key = [("idempotency-key", "k")]
    let first = await fixture.create(#"{"name": "a"}"#, fields: key)
    _ = await fixture.change("d1", #"{"name": "b"}"#)
    let again = await fixture.create(#"{"name": "a"}"#, fields: key)
    #expect(again.status == .created && again.body == first.body)
    #expect(again.value(of: "location") == first.value(of: "location"))
    #expect(again.value(of: "idempotent-replayed") == "true")
    let other = await fixture.create(#"{"name": "c"}"#, fields: key)
    #expect(other.json["type"] as? String == "/problems/idempotency-conflict")
    #expect(try fixture.shown(2) == nil)
  }

  @Test func `a patch sets what it names, and null takes away`() async throws {
    _ = await fixture.create(
      #"{"name": "a", "address": "x", "owner_id": "u2", "max_hourly_kwh": 2.5, "timezone": "Europe/Berlin"}"#)
    let named = await fixture.change("d1", #"{"name": "b"}"#)
    #expect(named.status == .ok && named.value(of: "etag") == ETag.make(named.body))
    #expect(named.json["address"] as? String == "x" && named.json["max_hourly_kwh"] as? Double == 2.5)
    let taken = await fixture.change("d1", #"{"address": null, "owner_id": null, "max_hourly_kwh": null}"#)
    for field in ["address", "owner_id", "max_hourly_kwh"] { #expect(taken.json[field] is NSNull) }
    #expect(taken.json["timezone"] as? String == "Europe/Berlin")
    let wrong = await fixture.change("d1", #"{"name": null, "timezone": null, "metrics": null}"#)
    #expect(wrong.pointers == ["/name", "/timezone", "/metrics"])
    #expect(fixture.changes == [1, 1, 1])
    _ = await fixture.change("d1", "{}")
    #expect(fixture.changes == [1, 1, 1], "nothing has changed")
  }

  @Test func `an owner who has gone stays until another is named`() async throws {
    _ = await fixture.create(#"{"name": "a", "owner_id": "u2"}"#)
    try fixture.services.store.write { try $0.execute(sql: "UPDATE users SET deleted_at = 1 WHERE id = 2") }
    #expect(await fixture.change("d1", #"{"name": "b"}"#).status == .ok)
    let response = await fixture.change("d1", #"{"name": "", "owner_id": "u2"}"#)
    #expect(response.pointers == ["/name", "/owner_id"])
  }

  @Test func `a change has to know what it changes, if it says so`() async throws {
    let tag = try #require(await fixture.create(#"{"name": "a"}"#).value(of: "etag"))
    let second = await fixture.change("d1", #"{"name": "b"}"#, fields: [("if-match", tag)])
    #expect(second.status == .ok)
    let stale = await fixture.change("d1", #"{"name": "c"}"#, fields: [("if-match", tag)])
    #expect(stale.status == .preconditionFailed)
    let delete = fixture.request("", ["d1"], fields: [("if-match", tag)])
    #expect(await fixture.devices.delete(delete).status == .preconditionFailed)
    #expect(try fixture.shown(1)?.body == second.body)
  }

  @Test func `a metric with readings stays what it is`() async throws {
    let energy = #"{"name": "energy", "kind": "counter", "unit": "kWh"}"#
    let power = #"{"name": "power", "kind": "power"}"#
    _ = await fixture.create(#"{"name": "a", "metrics": [\#(energy), \#(power)]}"#)
    try fixture.addReading(1, "energy")
    func patch(_ metrics: String...) async -> Response {
      await fixture.change("d1", #"{"metrics": [\#(metrics.joined(separator: ","))]}"#)
    }
    let gone = await patch(power)
    #expect(gone.status == .conflict && gone.pointers == ["/metrics"])
    let other = await patch(power, #"{"name": "energy", "kind": "interval", "unit": "Wh"}"#)
    #expect(other.status == .conflict && other.pointers == ["/metrics/1/kind", "/metrics/1/unit"])
    #expect(metrics(await patch(power, energy)) == ["power power W", "energy counter kWh"])
    let replaced = await patch(energy, #"{"name": "power", "kind": "interval"}"#)
    #expect(metrics(replaced) == ["energy counter kWh", "power interval kWh"])
    #expect(metrics(await patch(energy)) == ["energy counter kWh"])
    let readings = try fixture.services.store.read {
      try Int.fetchOne($0, sql: "SELECT count(*) FROM readings JOIN metrics ON id = metric_id")
    }
    #expect(readings == 1)
  }

  @Test func `a deleted device is gone with its keys`() async throws {
    _ = await fixture.create(#"{"name": "a"}"#)
    let token = try #require(
      await fixture.keys.create(fixture.request("{}", ["d1"])).json["token"] as? String)
    #expect(await fixture.devices.delete(fixture.request("", ["d1"])).status == .noContent)
    #expect(try fixture.shown(1) == nil)
    #expect(fixture.devices.list(fixture.request()).json["items"] as? [String] == [])
    #expect(await fixture.change("d1", "{}").status == .notFound)
    #expect(await fixture.devices.delete(fixture.request("", ["d1"])).status == .notFound)
    #expect(await fixture.keys.create(fixture.request("{}", ["d1"])).status == .notFound)
    #expect(fixture.keys.list(fixture.request("", ["d1"])).status == .notFound)
    let device = try fixture.services.store.read {
      try DeviceKeyStore.device(forDigest: DeviceToken.digest(token), in: $0)
    }
    #expect(device == nil)
    #expect(fixture.changes == [1, 1])
  }

  @Test func `the writer's own memory follows a change`() async throws {
    _ = await fixture.create(#"{"name": "a"}"#)
    func known() async throws -> String? {
      try await fixture.services.writer.transact { try $0.devices.device(1, $0.db)?.name }
    }
    #expect(try await known() == "a")
    _ = await fixture.change("d1", #"{"name": "b"}"#)
    #expect(try await known() == "b")
    _ = await fixture.devices.delete(fixture.request("", ["d1"]))
    #expect(try await known() == nil)
  }

  @Test func `alerts are of the main metric, whichever that is`() async throws {
    let a = #"{"name": "a", "kind": "interval", "unit": "kWh"}"#
    let b = #"{"name": "b", "kind": "interval", "unit": "kWh"}"#
    _ = await fixture.create(#"{"name": "d", "max_hourly_kwh": 1, "metrics": [\#(a), \#(b)]}"#)
    _ = try await fixture.services.writer.transact { transaction in
      let reading = Reading(end: 3_600_000, start: 0, value: 2)
      return try ReadingIntake.run(
        [IncomingReading(index: 0, device: 1, metric: "a", reading: reading)], onlyFor: nil, in: transaction)
    }
    for (metrics, state) in [("\(b), \(a)", Alert.State.cleared), ("\(a), \(b)", .firing)] {
      #expect(await fixture.change("d1", #"{"metrics": [\#(metrics)]}"#).status == .ok)
      #expect(
        try fixture.services.store.read { try AlertStore.alerts(of: 1, from: .min, to: .max, $0) }
          .map(\.state) == [state])
      #expect(try StoreCheck(store: fixture.services.store).run().faults.isEmpty)
    }
  }

  @Test func `lists go by id, and a client's is its own`() async throws {
    for owner in ["u2", "u3", "u2", "u2"] {
      _ = await fixture.create(#"{"name": "a", "owner_id": "\#(owner)"}"#)
    }
    func ids(_ query: String?, _ caller: Caller) throws -> [String] {
      var found: [String] = []
      var query = query
      repeat {
        let response = fixture.devices.list(fixture.request(query: query, by: caller))
        let items = try #require(response.json["items"] as? [[String: Any]])
        found += items.compactMap { $0["id"] as? String }
        query = response.value(of: "link")?.split(separator: "?").last?.split(separator: ">").first.map(
          String.init)
      } while query != nil
      return found
    }
    #expect(try ids(nil, fixture.admin) == ["d1", "d2", "d3", "d4"])
    #expect(try ids("limit=3&owner_id=u2", fixture.admin) == ["d1", "d3", "d4"])
    #expect(try ids("limit=2&owner_id=u2", fixture.admin) == ["d1", "d3", "d4"])
    #expect(try ids("limit=1", fixture.ann) == ["d1", "d3", "d4"])
    #expect(try ids("owner_id=u2", fixture.ann) == ["d1", "d3", "d4"])
    #expect(try ids("owner_id=u3", fixture.ann) == [])
    let wrong = fixture.devices.list(fixture.request(query: "owner_id=x"))
    #expect(wrong.status == .unprocessableContent && wrong.pointers == ["?owner_id"])
  }
}
