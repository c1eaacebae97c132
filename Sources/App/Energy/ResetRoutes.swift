import GRDB
import Reactor

/// `/devices/{id}/resets`: where counters began anew.
struct ResetRoutes: Sendable {
  let services: Services

  private struct Body: Decodable {
    let metric: String?
    let timestamp: String?
    let valueBefore: Double?
    let valueAfter: Double?

    enum CodingKeys: String, CodingKey {
      case metric, timestamp
      case valueBefore = "value_before"
      case valueAfter = "value_after"
    }
  }

  /// `GET`, on a reader.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let caller = try request.caller()
      let id = try request.device()
      let query = try Query(request.query)
      let limit = try query.limit()
      let before = try Cursor.number(query["cursor"])
      let found = try services.store.read { db in
        _ = try VisibleDevices.find(id, for: caller, db)
        return try ResetStore.page(of: id, before: before, limit: limit + 1, db)
      }
      let next = found.count > limit ? Cursor.encode("\(found[limit - 1].id)") : nil
      return try Page(items: Array(found.prefix(limit)), nextCursor: next)
        .response(request.path, [("limit", "\(limit)")])
    }
  }

  /// `POST`, on the writer: a declared change of meter. Its quarters are computed anew at once.
  @Sendable func create(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let id = try request.device()
      let body = try request.json(Body.self)
      let key = try request.idempotencyKey(of: caller.user)
      return try await services.writer.transact { transaction in
        try IdempotencyKey.once(key, in: transaction.db) {
          guard let device = try transaction.devices.device(id, transaction.db) else {
            throw Problem.notFound
          }
          let (place, reset) = try Self.check(body, device)
          let made = try ResetStore.declare(reset, of: device.meters[place].id, .now(), transaction.db)
          try transaction.resetsChanged(of: device, place: place, at: reset.at, .now())
          guard let listed = try ResetStore.find(made, of: id, transaction.db) else { throw Problem.internal }
          return try StoredAnswer.created(
            listed, at: "\(API.base)/devices/\(EntityID.device.text(id))/resets/\(EntityID.reset.text(made))")
        }
      }.response
    }
  }

  /// `DELETE`, on the writer: the counter went on.
  @Sendable func delete(_ request: Request) async -> Response {
    await Answer.later {
      let id = try request.device()
      guard let number = request.parameters.last.flatMap(EntityID.reset.parse) else { throw Problem.notFound }
      try await services.writer.transact { transaction in
        guard let device = try transaction.devices.device(id, transaction.db),
          let reset = try ResetStore.find(number, of: id, transaction.db),
          let place = device.place(ofMetric: reset.metric)
        else { throw Problem.notFound }
        try ResetStore.undo(number, transaction.db)
        try transaction.resetsChanged(of: device, place: place, at: reset.at, .now())
      }
      return Response(.noContent)
    }
  }

  private static func check(_ body: Body, _ device: MeteredDevice) throws -> (place: Int, reset: Reset) {
    var errors = FieldErrors()
    let time = errors.require(body.timestamp, "/timestamp", "must be an RFC 3339 date-time that has come") {
      Timestamp($0).map { ZoneRules.supported.contains($0.milliseconds) && $0 <= .now() } ?? false
    }
    let place = device.place(ofMetric: body.metric)
    errors.check(body.metric ?? "", "/metric", "names no metric of the device") { _ in place != nil }
    guard let place else {
      try errors.throwIfAny()
      throw Problem.internal
    }
    let meter = device.meters[place]
    errors.check(meter.kind, "/metric", "is no counter") { $0 == .counter }
    for (value, pointer) in [(body.valueBefore, "/value_before"), (body.valueAfter, "/value_after")] {
      errors.check(value, pointer, "must be a value that the counter can have") {
        meter.kind.complaint(about: $0, in: meter.unit) == nil
      }
    }
    try errors.throwIfAny()
    let at = Timestamp(time)?.milliseconds ?? 0
    return (
      place, Reset(kind: .declared, at: at, before: body.valueBefore, after: body.valueAfter ?? 0)
    )
  }
}

extension Transaction {
  /// Brings up to date what stands around a moment at which a meter's resets have changed.
  func resetsChanged(of device: MeteredDevice, place: Int, at time: Int64, _ now: Timestamp) throws {
    let keeper = bucketKeeper(of: device, place: place, now)
    let quarters = try keeper.refresh(around: time...time)
    devices.forgetTail(of: keeper.meter)
    guard place == 0 else { return }
    try AlertKeeper(device: device, transaction: self, now: now).review(quarters)
  }
}
