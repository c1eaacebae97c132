import Reactor

extension Request {
  /// `If-Match` (RFC 9110 §13.1.1): the client changes what it has seen, or nothing.
  /// - Parameter current: the object as this caller's `GET` shows it, read in the transaction that changes it.
  /// - Throws: `precondition-failed` if the client has seen another.
  func requireMatch(_ current: some Encodable) throws {
    try requireMatch(json: try JSON.encode(current))
  }

  /// The same for an object that is JSON already.
  func requireMatch(json current: @autoclosure () throws -> [UInt8]) throws {
    guard let condition = value(of: "if-match") else { return }
    let tag = ETag.make(try current())
    guard ETag.matchesStrongly(condition, tag) else { throw Problem(.preconditionFailed) }
  }
}
