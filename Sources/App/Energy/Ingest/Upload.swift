import Reactor

/// A body of measurements on its way in, and what has become of it so far.
struct Upload {
  private let body: RequestBody
  private let key: String?
  private let digest: BodyDigest?
  private let caller: Int64
  /// The key was used before: nothing is stored, and the body is read only to be compared.
  let isRepeated: Bool
  var batch: ReadingBatch
  /// Of what has been stored.
  var report = IntakeReport()

  init(
    _ body: RequestBody, of request: Request, from sender: MeasurementSender, to device: Int64?,
    _ services: Services
  ) async throws {
    self.body = body
    batch = ReadingBatch(device: device)
    caller = sender.id
    let key = try request.idempotencyKeyText()
    self.key = key
    digest = key.map { _ in BodyDigest(request) }
    guard let key else {
      isRepeated = false
      return
    }
    let store = services.store
    isRepeated = try await services.readers.run {
      try store.read { try IdempotencyKey.isUsed(key, by: sender.id, $0) }
    }
  }

  mutating func next() async throws(RequestBodyError) -> [UInt8]? {
    let piece = try await body.next()
    if let piece { digest?.add(piece) }
    return piece
  }

  /// After the body's end.
  var idempotencyKey: IdempotencyKey? {
    guard let key, let digest else { return nil }
    return IdempotencyKey(caller: caller, key: key, digest: digest.text)
  }
}
