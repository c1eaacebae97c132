@testable import App
@testable import Reactor

/// A request as the reactor would give it to a handler.
enum TestRequest {
  static func make(
    path: String = "/api/v1/users", query: String? = nil, fields: [(String, String)] = [], body: String = "",
    parameters: [String] = [], caller: Caller? = nil
  ) -> Request {
    with(path: path, query: query, fields: fields, body: body, parameters: parameters, caller: caller) {
      Request(
        head: $0.head, headBytes: Array($0.headBytes), body: Array($0.body), parameters: $0.parameters,
        context: $0.context)
    }
  }

  /// Gives a view that is valid during the call, as on the loop.
  static func with<T>(
    path: String = "/api/v1/users", query: String? = nil, fields: [(String, String)] = [], body: String = "",
    parameters: [String] = [], caller: Caller? = nil, _ use: (borrowing RequestView) -> T
  ) -> T {
    var bytes: [UInt8] = []
    func add(_ text: String) -> ByteRange {
      defer { bytes += text.utf8 }
      return ByteRange(start: bytes.count, count: text.utf8.count)
    }
    var head = RequestHead()
    head.path = add(path)
    head.query = query.map(add)
    head.prefersServerTiming = fields.contains { $0 == ("prefer", "server-timing") }
    head.fields = fields.map { RequestHead.Field(name: add($0), value: add($1)) }
    return bytes.withUnsafeBytes { headBytes in
      Array(body.utf8).withUnsafeBytes { bodyBytes in
        use(
          RequestView(
            head: head, headBytes: headBytes, body: bodyBytes, parameters: parameters, context: caller))
      }
    }
  }
}
