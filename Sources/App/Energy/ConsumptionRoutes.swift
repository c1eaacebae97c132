import GRDB
import Reactor

/// `/devices/{id}/consumption` and `/users/{id}/consumption`, on a reader.
struct ConsumptionRoutes: Sendable {
  let services: Services

  @Sendable func ofDevice(_ request: Request) -> Response {
    Answer.from {
      let caller = try request.caller()
      let query = try Query(request.query)
      let id = try request.device()
      return try services.store.read { db in
        let device = try VisibleDevices.find(id, for: caller, db)
        let asked = try ConsumptionQuery(query, zone: device.zone)
        guard let place = device.place(ofMetric: asked.metric) else {
          throw Problem.validation("?metric", "names no metric of the device")
        }
        let sums = try Consumption.sums(of: device.meters[place].id, over: asked.buckets, db)
        return ConsumptionPage.response(asked, sums, meters: 1)
      }
    }
  }

  /// The sum of all the user's devices, each by its main metric.
  @Sendable func ofUser(_ request: Request) -> Response {
    Answer.from {
      let caller = try request.caller()
      let query = try Query(request.query)
      return try services.store.read { db in
        let user = try Self.user(request, caller, db)
        let devices = try VisibleDevices.all(of: user, db)
        let zones = Set(devices.map(\.zone.identifier))
        let zone = zones.count == 1 ? devices.first?.zone : nil
        let asked = try ConsumptionQuery(query, zone: zone ?? .utc)
        var sums = Array(repeating: Consumption.Sum(), count: asked.buckets.count)
        let meters = devices.compactMap { device in
          device.place(ofMetric: asked.metric).map { device.meters[$0].id }
        }
        for meter in meters { try Consumption.add(meter, over: asked.buckets, to: &sums, db) }
        return ConsumptionPage.response(asked, sums, meters: meters.count)
      }
    }
  }

  /// A client sees its own alone.
  private static func user(_ request: Request, _ caller: Caller, _ db: Database) throws -> Int64 {
    guard let text = request.parameters.first else { return caller.user }
    guard let id = EntityID.user.parse(text), caller.role == .admin || caller.user == id,
      try UserStore.find(id, in: db) != nil
    else {
      throw Problem.notFound
    }
    return id
  }
}

/// The devices that a caller may see: an administrator all, a client its own.
enum VisibleDevices {
  /// - Throws: `not-found` for any other.
  static func find(_ id: Int64, for caller: Caller, _ db: Database) throws -> MeteredDevice {
    try find(id, for: caller.user, caller.role, db)
  }

  static func find(_ id: Int64, for user: User, _ db: Database) throws -> MeteredDevice {
    try find(id, for: user.id, user.role, db)
  }

  private static func find(_ id: Int64, for user: Int64, _ role: Role, _ db: Database) throws -> MeteredDevice
  {
    guard let device = try DeviceCatalog.load(id, db), role == .admin || device.owner == user else {
      throw Problem.notFound
    }
    return device
  }

  static func all(of owner: Int64, _ db: Database) throws -> [MeteredDevice] {
    try Int64.fetchAll(
      db.cachedStatement(sql: "SELECT id FROM devices WHERE owner_id = ? AND deleted_at IS NULL"),
      arguments: [owner]
    ).compactMap { try DeviceCatalog.load($0, db) }
  }
}

extension Request {
  /// The device that the path names; an id that cannot be is one that is not there.
  func device() throws(Problem) -> Int64 {
    guard let id = parameters.first.flatMap(EntityID.device.parse) else { throw .notFound }
    return id
  }
}
