/// A request method (RFC 9110 §9). A token that is none of these is `other`.
public enum Method: UInt8, Sendable, CaseIterable {
  case get, head, post, put, patch, delete, options, trace, connect
  case other

  /// The method's token, as it stands in a request line and in `Allow`.
  public var token: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .trace: "TRACE"
    case .connect: "CONNECT"
    case .other: "OTHER"
    }
  }
}
