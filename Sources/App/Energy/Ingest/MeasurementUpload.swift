import GRDB
import Reactor

/// `POST /measurements` and `POST /devices/{id}/measurements`: parses what comes, hands it to the writer in batches, and
/// says of every reading what became of it.
///
/// A JSON body is one text, so it is checked whole before any of it is stored. NDJSON and CSV are taken line by line as they
/// come: what is waiting is one piece and one batch, however long the body.
struct MeasurementUpload: Sendable {
  let services: Services
  let budget: LoopBound<BodyBudget>

  /// Readings in one transaction: enough that the commit does not count, and little enough that a message which waits
  /// behind it is not late.
  private static let batch = 1000
  /// A JSON body of that many bytes is parsed on the loop, in a tenth of a millisecond; to ask another thread costs as much.
  private static let onLoop = 32 * 1024

  enum Format: Sendable { case json, ndjson, csv }

  /// To all devices, each reading naming its own.
  @Sendable func toAny(_ request: Request, _ body: RequestBody) async -> Response {
    await Answer.later { try await take(request, body, device: nil) }
  }

  @Sendable func toOne(_ request: Request, _ body: RequestBody) async -> Response {
    await Answer.later { try await take(request, body, device: try request.device()) }
  }

  private func take(_ request: Request, _ body: RequestBody, device: Int64?) async throws -> Response {
    let format = try Self.format(request)
    let sender = try await MeasurementSender.find(request, device: device, services)
    var upload = try await Upload(body, of: request, from: sender, to: device, services)
    do {
      switch format {
      case .json: try await json(&upload, sender)
      case .ndjson: try await lines(ReadingLines(.ndjson), &upload, sender)
      case .csv: try await lines(ReadingLines(.csv(CSVReadings())), &upload, sender)
      }
    } catch let error as RequestBodyError {
      throw Problem(ProblemKind(status: error.status), detail: error.reason)
    }
    return try await finish(&upload, sender)
  }

  private static func format(_ request: Request) throws(Problem) -> Format {
    try MediaType.requireNoCoding(request.value(of: "content-encoding"))
    return switch MediaType.essence(request.value(of: "content-type")) {
    case "application/json": .json
    case "application/x-ndjson", "application/ndjson": .ndjson
    case "text/csv": .csv
    default:
      throw Problem(
        .unsupportedMediaType, detail: "The body must be application/json, application/x-ndjson or text/csv.")
    }
  }

  private func json(_ upload: inout Upload, _ sender: MeasurementSender) async throws {
    var text: [UInt8] = []
    defer { budget.value.release(text.count) }
    while let piece = try await upload.next() {
      guard budget.value.grow(text.count, by: piece.count) else { throw Problem.busy }
      text += piece
    }
    if text.count <= Self.onLoop { return try JSONReadings.parse(text, into: &upload.batch) }
    let (whole, batch) = (text, upload.batch)
    upload.batch = try await services.cpu.run {
      var batch = batch
      try JSONReadings.parse(whole, into: &batch)
      return batch
    }
  }

  private func lines(
    _ lines: ReadingLines, _ upload: inout Upload, _ sender: MeasurementSender
  ) async throws {
    var lines = lines
    while let piece = try await upload.next() {
      let (before, batch) = (lines, upload.batch)
      (lines, upload.batch) = try await services.readers.run {
        var (lines, batch) = (before, batch)
        try lines.take(piece, into: &batch)
        return (lines, batch)
      }
      if upload.isRepeated { _ = upload.batch.takeReadings() } else { try await store(&upload, sender) }
    }
    try lines.end(into: &upload.batch)
  }

  /// Stores all whole batches that have gathered.
  private func store(_ upload: inout Upload, _ sender: MeasurementSender) async throws {
    for part in upload.batch.takeBatches(of: Self.batch) {
      upload.report.add(try await services.writer.transact { try sender.store(part, $0) })
    }
  }

  /// Stores what is left, and the answer with it: an answer that is given again speaks of the same readings.
  private func finish(_ upload: inout Upload, _ sender: MeasurementSender) async throws -> Response {
    let key = upload.idempotencyKey
    if !upload.isRepeated { try await store(&upload, sender) }
    let rest = upload.batch.takeReadings()
    var before = upload.report
    before.add(upload.batch.report)
    let isRepeated = upload.isRepeated
    return try await services.writer.transact { [before] transaction in
      try IdempotencyKey.once(key, in: transaction.db) {
        // The first answer has been dropped since the upload began. What was passed over is not here to be stored.
        if isRepeated { throw Problem.busy }
        var report = before
        report.add(try sender.store(rest, transaction))
        report.sort()
        return StoredAnswer(.ok, body: report.json)
      }
    }.response
  }
}

/// Who sends readings, and what it may write to.
struct MeasurementSender: Sendable {
  /// Whose idempotency keys are looked at. A device's never meet a user's.
  let id: Int64
  /// The one device that it may write to; nil for all.
  let device: Int64?
  private let right: Right

  /// What allows it, looked at again in each transaction: the body may come for long, and what has ended meanwhile is dead at
  /// once.
  private enum Right {
    case caller(Caller)
    case key(DeviceCredential)
  }

  private init(_ caller: Caller) {
    id = caller.user
    device = nil
    right = .caller(caller)
  }

  private init(_ key: DeviceCredential, for device: Int64) {
    id = -device
    self.device = device
    right = .key(key)
  }

  /// - Parameter device: that of the request's path.
  /// - Throws: `not-found` if it is not there, or is not the sender's.
  static func find(_ request: Request, device: Int64?, _ services: Services) async throws -> MeasurementSender
  {
    let context = request.context
    if device == nil, let caller = context as? Caller { return MeasurementSender(caller) }
    let store = services.store
    return try await services.readers.run {
      try store.read { db in
        let sender = try find(context, db)
        guard let device else { return sender }
        guard sender.device ?? device == device, try DeviceStore.find(device, in: db) != nil else {
          throw Problem.notFound
        }
        return sender
      }
    }
  }

  private static func find(_ context: (any Sendable)?, _ db: Database) throws -> MeasurementSender {
    if let caller = context as? Caller { return MeasurementSender(caller) }
    guard let key = context as? DeviceCredential else { throw BearerGate.unauthorized() }
    return MeasurementSender(key, for: try device(of: key, db))
  }

  private static func device(of key: DeviceCredential, _ db: Database) throws -> Int64 {
    guard let device = try DeviceKeyStore.device(forDigest: key.digest, in: db) else {
      throw BearerGate.unauthorized(.badSignature)
    }
    return device
  }

  func store(_ readings: [IncomingReading], _ transaction: Transaction) throws -> IntakeReport {
    switch right {
    case .caller(let caller): try Accounts.confirm(caller, in: transaction.db)
    case .key(let key): _ = try Self.device(of: key, transaction.db)
    }
    return try ReadingIntake.run(readings, onlyFor: device, in: transaction)
  }
}

extension IntakeReport {
  var json: [UInt8] {
    var json = JSONWriter()
    json.raw("{\"accepted\":")
    json.integer(Int64(accepted))
    json.raw(",\"duplicates\":")
    json.integer(Int64(duplicates))
    json.raw(",\"corrected\":")
    json.integer(Int64(corrected))
    json.raw(",\"rejected\":[")
    for (index, rejection) in rejected.enumerated() {
      json.raw(index == 0 ? "{\"index\":" : ",{\"index\":")
      json.integer(Int64(rejection.index))
      json.raw(",\"type\":")
      json.string(rejection.type)
      json.raw(",\"detail\":")
      json.string(rejection.detail)
      json.raw("}")
    }
    json.raw("],\"rejected_count\":")
    json.integer(Int64(rejectedCount))
    json.raw("}")
    return json.bytes
  }
}
