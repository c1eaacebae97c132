import Foundation
import GRDB
import Reactor

/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again with its key has its
/// effect once, and gets its first answer again. The answer is stored in the transaction of the effect, for a day.
struct IdempotencyKey: Sendable {
  /// Whose key it is: two callers' keys never meet.
  let caller: Int64
  let key: String
  /// Of method, path and body: the same key with anything else is a mistake of the client's.
  let digest: String

  private static let longest = 255
  private static let lifetime: Int64 = 24 * 3600 * 1000

  /// Runs the effect, or gives the answer of the time that it ran.
  /// - Throws: `idempotency-conflict` if the key came with another request before; what the effect throws, and then
  ///   nothing is stored.
  static func once(
    _ key: IdempotencyKey?, now: Timestamp = .now(), in db: Database, _ effect: () throws -> StoredAnswer
  ) throws -> StoredAnswer {
    guard let key else { return try effect() }
    if let first = try key.find(now, in: db) { return first }
    let answer = try effect()
    try key.insert(answer, now, in: db)
    return answer
  }

  /// - Throws: `validation` for what cannot be a key.
  static func check(_ key: some Collection<UInt8>) throws(Problem) {
    guard (1...longest).contains(key.count), key.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .validation("Idempotency-Key", "must be 1 to \(longest) printable ASCII characters")
    }
  }

  /// Whether the key has an answer, to whatever request.
  static func isUsed(_ key: String, by caller: Int64, now: Timestamp = .now(), _ db: Database) throws -> Bool
  {
    let statement = try db.cachedStatement(
      sql: "SELECT 1 FROM idempotency_keys WHERE user_id = ? AND key = ? AND created_at >= ?")
    return try Row.fetchOne(statement, arguments: [caller, key, now.milliseconds - lifetime]) != nil
  }

  private func find(_ now: Timestamp, in db: Database) throws -> StoredAnswer? {
    try db.cachedStatement(sql: "DELETE FROM idempotency_keys WHERE created_at < ?")
      .execute(arguments: [now.milliseconds - Self.lifetime])
    let statement = try db.cachedStatement(
      sql: "SELECT digest, status, location, body FROM idempotency_keys WHERE user_id = ? AND key = ?")
    guard let row = try Row.fetchOne(statement, arguments: [caller, key]) else { return nil }
    guard row["digest"] == digest else { throw Problem(.idempotencyConflict) }
    return StoredAnswer(
      Status(rawValue: row["status"]), location: row["location"], body: [UInt8](row["body"] as Data),
      isRepeated: true)
  }

  private func insert(_ answer: StoredAnswer, _ now: Timestamp, in db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO idempotency_keys (user_id, key, digest, status, location, body, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      caller, key, digest, answer.status.rawValue, answer.location, Data(answer.body), now.milliseconds,
    ])
  }
}

/// An answer as it is kept to be given again.
struct StoredAnswer: Sendable {
  var status: Status
  var location: String?
  var body: [UInt8]
  /// The effect was an earlier request's.
  var isRepeated = false

  init(_ status: Status, location: String? = nil, body: [UInt8] = [], isRepeated: Bool = false) {
    self.status = status
    self.location = location
    self.body = body
    self.isRepeated = isRepeated
  }

  /// 201 with the object and where it is.
  static func created(_ value: some Encodable, at location: String) throws -> StoredAnswer {
    StoredAnswer(.created, location: location, body: try JSON.encode(value))
  }

  var response: Response {
    var fields: [Response.Field] = []
    if let location { fields.append(.init("location", location)) }
    if isRepeated { fields.append(.init("idempotent-replayed", "true")) }
    if body.isEmpty { return Response(status, fields: fields) }
    return Response(status, fields: fields, body: body, contentType: "application/json")
  }
}

extension Request {
  /// The request's key, if it has one.
  /// - Throws: `validation` if it is empty, too long, or holds what is no printable ASCII.
  func idempotencyKey(of caller: Int64) throws(Problem) -> IdempotencyKey? {
    guard let key = try idempotencyKeyText() else { return nil }
    let digest = BodyDigest(self)
    digest.add(body)
    return IdempotencyKey(caller: caller, key: key, digest: digest.text)
  }

  func idempotencyKeyText() throws(Problem) -> String? {
    guard let key = value(of: "idempotency-key") else { return nil }
    try IdempotencyKey.check(key.utf8)
    return key
  }
}
