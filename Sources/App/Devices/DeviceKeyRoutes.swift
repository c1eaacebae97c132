import Reactor

/// `/devices/{id}/keys` and `/devices/{id}/keys/{key_id}`.
struct DeviceKeyRoutes: Sendable {
  let services: Services
  let signingKey: SigningKey

  /// The body of a `POST`.
  private struct Body: Decodable {
    let name: FieldChange<String>
    let errors: [Problem.FieldError]

    private enum CodingKeys: String, CodingKey { case name }

    init(from decoder: any Decoder) throws {
      var fields = try FieldReader(decoder, keyedBy: CodingKeys.self)
      name = fields.change(.name, LabelRule.text, LabelRule.parse)
      errors = fields.errors
    }
  }

  /// What the answer to a `POST` is made of. It is kept for an `Idempotency-Key`, and is no secret: the token comes from
  /// the salt and the signing key, which is in no store.
  private struct Made: Codable {
    let id: String
    let name: String?
    let createdAt: Timestamp
    let salt: String
  }

  private struct Issued: Encodable {
    let made: Made
    let token: String

    private enum CodingKeys: String, CodingKey {
      case id, name, token
      case createdAt = "created_at"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(made.id, forKey: .id)
      try container.encode(made.name, forKey: .name)
      try container.encode(token, forKey: .token)
      try container.encode(made.createdAt, forKey: .createdAt)
    }
  }

  /// `POST /devices/{id}/keys`, a task on the writer.
  @Sendable func create(_ request: Request) async -> Response {
    await Answer.later {
      let caller = try request.caller()
      let device = try request.device()
      let body = try request.json(Body.self)
      if !body.errors.isEmpty { throw Problem.validation(body.errors) }
      let name = body.name.applied(to: nil)
      let key = try request.idempotencyKey(of: caller.user)
      var answer = try await services.writer.transact { transaction in
        try requireDevice(device, transaction)
        return try IdempotencyKey.once(key, in: transaction.db) {
          let salt = Base64URL.encode(RandomBytes.make(16))
          let made = try DeviceKeyStore.insert(
            name, digest: DeviceToken.digest(token(salt)), for: device, in: transaction.db)
          let id = EntityID.deviceKey.text(made.id)
          return try .created(
            Made(id: id, name: made.name, createdAt: made.createdAt, salt: salt),
            at: "\(API.base)/devices/\(EntityID.device.text(device))/keys/\(id)")
        }
      }
      let made = try JSON.decode(Made.self, from: answer.body)
      answer.body = try JSON.encode(Issued(made: made, token: token(made.salt)))
      var response = answer.response
      response.fields.append(.init("cache-control", "no-store"))
      return response
    }
  }

  private func token(_ salt: String) -> String {
    DeviceToken.text(signingKey.derivedSecret("device key", Array(salt.utf8)))
  }

  /// `GET /devices/{id}/keys`, on a reader.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let device = try request.device()
      let query = try Query(request.query)
      let limit = try query.limit()
      let after = try Cursor.number(query["cursor"]) ?? 0
      let found = try services.store.read { db in
        guard try DeviceStore.find(device, in: db) != nil else { throw Problem.notFound }
        return try DeviceKeyStore.page(of: device, after: after, limit: limit + 1, in: db)
      }
      let keys = Array(found.prefix(limit))
      let next = found.count > limit ? keys.last.map { Cursor.encode("\($0.id)") } : nil
      return try Page(items: keys, nextCursor: next).response(request.path, [("limit", "\(limit)")])
    }
  }

  /// `DELETE /devices/{id}/keys/{key_id}`, a task on the writer.
  @Sendable func delete(_ request: Request) async -> Response {
    await Answer.later {
      let device = try request.device()
      guard let key = request.parameters.last.flatMap(EntityID.deviceKey.parse) else {
        throw Problem.notFound
      }
      try await services.writer.transact { transaction in
        try requireDevice(device, transaction)
        guard try DeviceKeyStore.delete(key, of: device, in: transaction.db) else { throw Problem.notFound }
      }
      return Response(.noContent)
    }
  }

  private func requireDevice(_ id: Int64, _ transaction: Transaction) throws {
    guard try DeviceStore.find(id, in: transaction.db) != nil else { throw Problem.notFound }
  }
}
