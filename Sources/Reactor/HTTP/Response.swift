/// An answer to one request. `Content-Length`, `Date` and `Connection` are the encoder's business, not the handler's.
public struct Response: Sendable {
  /// One header field. Names are ASCII tokens; a value may hold no CR, LF or NUL (the encoder drops such a field:
  /// a handler that copies user input into a field must not be able to split the head).
  public struct Field: Sendable, Equatable {
    public let name: String
    public let value: String
    /// Looked at once: many a field is made with its route, and sent with each answer.
    let kind: FieldKind

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
      kind = FieldKind(name, value)
    }
  }

  public var status: Status
  public var fields: [Field]
  public var body: [UInt8]
  /// Writes the content in place of `body`, after the head has left.
  var producer: Producer?
  /// True ends the connection after this answer (`Connection: close`).
  public var closes = false

  public init(_ status: Status, fields: [Field] = [], body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  public init(_ status: Status, fields: [Field] = [], body: [UInt8], contentType: String) {
    self.init(status, fields: [Field("content-type", contentType)] + fields, body: body)
  }

  public typealias Producer = @Sendable (ResponseWriter) async throws -> Void

  /// An answer whose content is made while it is sent: `produce` runs on the loop once the head is on its way, and must not
  /// block. It is not run where the answer has no content (HEAD, 204, 304). If it throws, the connection ends without the
  /// content's end, so that the client does not take a part for the whole (RFC 9112 §8).
  public static func stream(
    _ status: Status, fields: [Field] = [], contentType: String, _ produce: @escaping Producer
  ) -> Response {
    var response = Response(status, fields: fields, body: [], contentType: contentType)
    response.producer = produce
    return response
  }
}
