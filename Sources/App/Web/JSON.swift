import Foundation

/// JSON at the REST edge. (A chat frame has its own reader and writer: Codable costs some 3 µs and a dozen
/// allocations.)
public enum JSON {
  /// Keys are sorted: the same object always has the same bytes, and so the same `ETag`.
  public static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(value))
  }

  /// Reads a request's body.
  /// - Throws: `malformed` if it is not JSON (RFC 8259), `validation` if it is but has other types than
  ///   `Value`.
  public static func decode<Value: Decodable>(_ type: Value.Type, from body: [UInt8]) throws(Problem) -> Value
  {
    // Foundation's decoder is no judge of what is JSON: it takes a comma before a closing brace, for one.
    do throws(JSONReader.Failure) {
      try JSONReader.check(body)
    } catch {
      throw Problem(.malformed, detail: "The body is not JSON: \(error).")
    }
    do {
      return try JSONDecoder().decode(type, from: Data(body))
    } catch let error as DecodingError {
      throw problem(error)
    } catch let problem as Problem {
      // A type that has looked at all of its fields itself.
      throw problem
    } catch {
      throw .validation("", "cannot be used")
    }
  }

  static func problem(_ error: DecodingError) -> Problem {
    switch error {
    case .typeMismatch(let type, let context): .validation(pointer(context.codingPath), expectation(type))
    case .valueNotFound(_, let context): .validation(pointer(context.codingPath), "must not be null")
    case .keyNotFound(let key, let context): .validation(pointer(context.codingPath + [key]), "is missing")
    // A number that does not fit comes without a path.
    case .dataCorrupted(let context):
      .validation(pointer(context.codingPath), "has a value that cannot be used")
    @unknown default: .validation("", "cannot be used")
    }
  }

  private static func expectation(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "must be a string"
    case is Bool.Type: "must be true or false"
    case is any Numeric.Type: "must be a number"
    case is any Collection.Type where !(type is any ExpressibleByDictionaryLiteral.Type): "must be an array"
    default: "must be an object"
    }
  }

  /// RFC 6901.
  static func pointer(_ path: [any CodingKey]) -> String {
    path.map { key in
      let name = key.intValue.map(String.init) ?? key.stringValue
      return "/" + name.replacingOccurrences(of: "~", with: "~0").replacingOccurrences(of: "/", with: "~1")
    }.joined()
  }
}
