import Reactor

extension Request {
  /// The body as JSON. Its media type is checked first: a form that another site posts is not taken for JSON.
  func json<Value: Decodable>(_ type: Value.Type) throws(Problem) -> Value {
    guard MediaType.isJSON(value(of: "content-type")) else { throw .notJSON }
    try MediaType.requireNoCoding(value(of: "content-encoding"))
    return try JSON.decode(type, from: body)
  }

  /// Who sent it; every route behind a bearer gate has one.
  func caller() throws(Problem) -> Caller {
    guard let caller = context as? Caller else { throw Problem(.unauthorized) }
    return caller
  }
}

/// Media types (RFC 9110 §8.3.1) as far as requests need them.
enum MediaType {
  /// `application/json` with any parameters; for a patch its own name (RFC 7396) is as good.
  static func isJSON(_ field: String?) -> Bool {
    let essence = essence(field)
    return essence == "application/json" || essence == "application/merge-patch+json"
  }

  /// No content coding (RFC 9110 §8.4) is undone here: what is compressed is refused, before it is taken for what it is not.
  static func requireNoCoding(_ field: String?) throws(Problem) {
    guard let field, field.lowercased() != "identity" else { return }
    var problem = Problem(.unsupportedMediaType, detail: "The body must not have a content coding.")
    // RFC 9110 §12.5.3: what would have been taken.
    problem.fields = [Response.Field("accept-encoding", "identity")]
    throw problem
  }

  /// The type without its parameters, in lower case.
  static func essence(_ field: String?) -> String? {
    guard let essence = field?.split(separator: ";", omittingEmptySubsequences: false).first else {
      return nil
    }
    return essence.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }.lowercased()
  }
}
