import Reactor

/// The answers to `GET` of an object that does not change: each client's is a share of the same bytes.
struct ReadyAnswer: Sendable {
  private let found: Response
  private let notModified: Response
  private let tag: String

  init(_ value: some Encodable) throws {
    let body = try JSON.encode(value)
    tag = ETag.make(body)
    found = Response(.ok, fields: [.init("etag", tag)], body: body, contentType: "application/json")
    notModified = Response(.notModified, fields: [.init("etag", tag)])
  }

  /// - Parameter condition: the request's `If-None-Match`.
  func response(_ condition: String?) -> Response {
    guard let condition, ETag.matches(condition, tag) else { return found }
    return notModified
  }
}
