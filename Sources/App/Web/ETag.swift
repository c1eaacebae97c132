import COpenSSL
import Reactor

/// Entity tags (RFC 9110 §8.8.3): a strong one, the digest of the representation's bytes.
enum ETag {
  static func make(_ body: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(body, body.count, &digest)
    return "\"\(Base64URL.encode(digest.prefix(16)))\""
  }

  /// `If-None-Match` (RFC 9110 §13.1.2): weak comparison, `*` matches whatever there is.
  static func matches(_ condition: String, _ tag: String) -> Bool {
    condition.split(separator: ",").contains { part in
      let candidate = part.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
      return candidate == "*" || candidate == tag || candidate == "W/" + tag
    }
  }

  /// `If-Match` (RFC 9110 §13.1.1): strong comparison, `*` matches whatever there is.
  static func matchesStrongly(_ condition: String, _ tag: String) -> Bool {
    condition.split(separator: ",").contains { part in
      let candidate = part.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
      return candidate == "*" || candidate == tag
    }
  }

  /// The object with its tag: the answer to what made or changed it.
  static func response(_ value: some Encodable, _ status: Status = .ok) throws -> Response {
    var response = try Answer.json(value, status)
    response.fields.append(Response.Field("etag", make(response.body)))
    return response
  }

  /// 200 with the object and its tag, or 304 when the client has just that.
  static func response(_ value: some Encodable, to request: Request) throws -> Response {
    response(try JSON.encode(value), to: request)
  }

  /// The same for an object that is JSON already.
  static func response(_ json: [UInt8], to request: Request) -> Response {
    var response = Response(.ok, body: json, contentType: "application/json")
    let tag = make(json)
    response.fields.append(Response.Field("etag", tag))
    guard let condition = request.value(of: "if-none-match"), matches(condition, tag) else { return response }
    return Response(.notModified, fields: [Response.Field("etag", tag)])
  }
}
