/// A request to be sent by `HTTPClient`, which adds `host` and `content-length`.
public struct HTTPClientRequest: Sendable {
  public var method: Method
  /// The request-target: path and query, percent-encoded, such as `/users?limit=5`.
  public var path: String
  public var fields: [Response.Field]
  public var body: [UInt8]

  public init(_ method: Method, _ path: String, fields: [Response.Field] = [], body: [UInt8] = []) {
    self.method = method
    self.path = path
    self.fields = fields
    self.body = body
  }
}

/// A whole answer.
public struct HTTPClientResponse: Sendable {
  let head: ResponseHead
  let headBytes: [UInt8]
  /// The content, without its transfer coding.
  public let body: [UInt8]

  public var status: Status { head.status }

  /// The value of the first field of that name; `name` in lower case.
  public func value(of name: StaticString) -> String? {
    headBytes.withUnsafeBytes { bytes in
      head.fields.bytes(of: name, in: bytes).map { String(decoding: $0, as: UTF8.self) }
    }
  }
}

/// Why there is no answer. Except for the first three cases the server may have acted on the request.
public enum HTTPClientError: Error, Sendable, Equatable {
  /// The request cannot be written: see `HTTPClientRequest`.
  case invalidRequest
  /// Every connection that the client may have is busy.
  case busy
  /// No connection to the server; the system's reason.
  case cannotConnect(String)
  /// The connection ended before the answer did. It may be one that the server has just ended for being idle.
  case connectionClosed
  /// The answer was not whole within the client's time.
  case timedOut
  /// The answer breaks the rules or a limit: what about it.
  case invalidResponse(String)
  /// `HTTPClient.close` was called.
  case cancelled
}
