import GRDB
import Reactor

/// `/alerts`: an administrator sees all, a client those of its devices.
struct AlertRoutes: Sendable {
  let services: Services

  /// `GET`, on a reader, the latest first.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let caller = try request.caller()
      let query = try Query(request.query)
      let limit = try query.limit()
      let before = try Cursor.number(query["cursor"])
      var filter = AlertStore.Filter()
      filter.owner = caller.role == .admin ? nil : caller.user
      var parameters = [("limit", "\(limit)")]
      if let state = query["state"] {
        filter.state = Alert.State(rawValue: state)
        if filter.state == nil { throw Problem.validation("?state", "must be firing or cleared") }
        parameters.append(("state", state))
      }
      if let acknowledged = query["acknowledged"] {
        filter.acknowledged = Bool(acknowledged)
        if filter.acknowledged == nil { throw Problem.validation("?acknowledged", "must be true or false") }
        parameters.append(("acknowledged", acknowledged))
      }
      let found = try services.store.read {
        try AlertStore.page(filter, before: before, limit: limit + 1, $0)
      }
      let next = found.count > limit ? Cursor.encode("\(found[limit - 1].id)") : nil
      return try Page(items: found.prefix(limit).map(Alert.Shown.init), nextCursor: next)
        .response(request.path, parameters)
    }
  }

  /// `POST /alerts/{id}/acknowledge`, on the writer. Who was first stays; to do it again changes nothing.
  @Sendable func acknowledge(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      guard let id = request.parameters.first.flatMap(EntityID.alert.parse) else { throw Problem.notFound }
      let alert = try await services.writer.transact { transaction in
        let db = transaction.db
        guard let alert = try AlertStore.find(id, db) else { throw Problem.notFound }
        let owner = try Int64.fetchOne(
          db, sql: "SELECT owner_id FROM devices WHERE id = ?", arguments: [alert.device])
        guard caller.role == .admin || owner == caller.user else { throw Problem.notFound }
        guard try AlertStore.acknowledge(id, by: caller.user, .now(), db) else { return alert }
        try Self.announce(alert, owner, transaction)
        return try AlertStore.find(id, db) ?? alert
      }
      return try Answer.json(Alert.Shown(alert: alert))
    }
  }

  private static func announce(_ alert: Alert, _ owner: Int64?, _ transaction: Transaction) throws {
    let event = AlertEvent(
      position: try transaction.positions.next(transaction.db), alert: alert.id, device: alert.device,
      state: .acknowledged, energy: alert.energy, limit: MicrowattHours(alert.limit, .kilowattHour),
      start: alert.start, end: alert.end,
      recipients: try AlertStore.recipients(owner: owner, transaction.db))
    try AlertStore.record(event, transaction.db)
    transaction.positions.use(event.position)
    transaction.announce(.alert(event))
  }
}

extension Alert {
  /// As clients see it.
  struct Shown: Encodable {
    let alert: Alert

    private enum CodingKeys: String, CodingKey {
      case id, start, end, value, limit, state
      case device = "device_id"
      case firedAt = "fired_at"
      case clearedAt = "cleared_at"
      case acknowledgedBy = "acknowledged_by"
      case acknowledgedAt = "acknowledged_at"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(EntityID.alert.text(alert.id), forKey: .id)
      try container.encode(EntityID.device.text(alert.device), forKey: .device)
      try container.encode(Timestamp(milliseconds: alert.start), forKey: .start)
      try container.encode(Timestamp(milliseconds: alert.end), forKey: .end)
      try container.encode(alert.energy.kilowattHours, forKey: .value)
      try container.encode(alert.limit, forKey: .limit)
      try container.encode(alert.state.rawValue, forKey: .state)
      try container.encode(Timestamp(milliseconds: alert.firedAt), forKey: .firedAt)
      try container.encode(alert.clearedAt.map(Timestamp.init), forKey: .clearedAt)
      try container.encode(alert.acknowledgedBy.map(EntityID.user.text), forKey: .acknowledgedBy)
      try container.encode(alert.acknowledgedAt.map(Timestamp.init), forKey: .acknowledgedAt)
    }
  }
}
