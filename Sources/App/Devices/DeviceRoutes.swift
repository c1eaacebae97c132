import Reactor

/// `/devices`, and what changes `/devices/{id}`. (`ObjectView` shows it.)
struct DeviceRoutes: Sendable {
  let services: Services

  /// `GET /devices`, on a reader. A client's list is of its own, whatever it asks for.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let caller = try request.caller()
      let query = try Query(request.query)
      let limit = try query.limit()
      let wanted = try Self.owner(query)
      var parameters = [("limit", "\(limit)")]
      if let owner = query["owner_id"] { parameters.append(("owner_id", owner)) }
      if caller.role != .admin, let wanted, wanted != caller.user {
        return try Page<Device>(items: [], nextCursor: nil).response(request.path, parameters)
      }
      let owner = caller.role == .admin ? wanted : caller.user
      let after = try Cursor.number(query["cursor"]) ?? 0
      // One more than asked for: it tells whether there is a next page.
      let found = try services.store.read {
        try DeviceStore.page(of: owner, after: after, limit: limit + 1, in: $0)
      }
      let devices = Array(found.prefix(limit))
      let next = found.count > limit ? devices.last.map { Cursor.encode("\($0.id)") } : nil
      return try Page(items: devices, nextCursor: next).response(request.path, parameters)
    }
  }

  private static func owner(_ query: Query) throws(Problem) -> Int64? {
    guard let text = query["owner_id"] else { return nil }
    guard let owner = EntityID.user.parse(text) else { throw .validation("?owner_id", "must be a user's id") }
    return owner
  }

  /// `POST /devices`, a task on the writer.
  @Sendable func create(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let change = try Self.change(in: request)
      try await refuse(change.errorsOfNew, owner: change.owner)
      let key = try request.idempotencyKey(of: caller.user)
      let answer = try await services.writer.transact { transaction in
        try IdempotencyKey.once(key, in: transaction.db) {
          let device = try DeviceStore.insert(change.applied(to: .init(name: "")), in: transaction.db)
          transaction.deviceChanged(device.id)
          return try .created(device, at: "\(API.base)/devices/\(EntityID.device.text(device.id))")
        }
      }
      var response = answer.response
      response.fields.append(.init("etag", ETag.make(answer.body)))
      return response
    }
  }

  /// `PATCH /devices/{id}` (RFC 7396), a task on the writer.
  @Sendable func change(_ request: Request) async -> Response {
    await Answer.later {
      let id = try request.device()
      let change = try Self.change(in: request)
      try await refuse(change.errorsOfPatch, owner: change.owner)
      let changed = try await services.writer.transact { transaction in
        guard var device = try DeviceStore.find(id, in: transaction.db) else { throw Problem.notFound }
        try request.requireMatch(device)
        let settings = change.applied(to: device.settings)
        if settings == device.settings { return device }
        try DeviceStore.update(device, to: settings, in: transaction.db)
        transaction.deviceChanged(id)
        if settings.metrics.first?.name != device.settings.metrics.first?.name,
          let metered = try transaction.devices.device(id, transaction.db)
        {
          try AlertKeeper(device: metered, transaction: transaction, now: .now()).review()
        }
        device.settings = settings
        return device
      }
      return try ETag.response(changed)
    }
  }

  /// `DELETE /devices/{id}`, a task on the writer.
  @Sendable func delete(_ request: Request) async -> Response {
    await Answer.later {
      let id = try request.device()
      try await services.writer.transact { transaction in
        guard let device = try DeviceStore.find(id, in: transaction.db) else { throw Problem.notFound }
        try request.requireMatch(device)
        try DeviceStore.delete(id, in: transaction.db)
        transaction.deviceChanged(id)
      }
      return Response(.noContent)
    }
  }

  private static func change(in request: Request) throws(Problem) -> DeviceChange {
    try request.forbid(DeviceChange.readOnly)
    return try request.json(DeviceChange.self)
  }

  /// Refuses a body with something wrong in it. The transaction looks for the owner anyway; here only so that the one
  /// answer names that too.
  private func refuse(_ errors: [Problem.FieldError], owner: FieldChange<Int64>) async throws {
    if errors.isEmpty { return }
    guard case .set(let owner) = owner else { throw Problem.validation(errors) }
    let store = services.store
    let isOwner = try await services.readers.run {
      try store.read { try DeviceStore.isOwner(owner, in: $0) }
    }
    throw Problem.validation(errors + (isOwner ? [] : [DeviceChange.unknownOwner]))
  }
}
