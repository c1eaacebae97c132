import Reactor

/// What a merge patch (RFC 7396) says of one field.
enum FieldChange<Value: Sendable>: Sendable {
  /// The field is not there: it stays.
  case keep
  /// null: the value goes.
  case remove
  case set(Value)

  /// The field's value after the patch.
  func applied(to present: Value?) -> Value? {
    switch self {
    case .keep: present
    case .remove: nil
    case .set(let value): value
    }
  }
}

extension FieldChange: Equatable where Value: Equatable {}

extension KeyedDecodingContainer {
  func change<Value: Decodable & Sendable>(_ type: Value.Type, forKey key: Key) throws -> FieldChange<Value> {
    guard contains(key) else { return .keep }
    return try decodeNil(forKey: key) ? .remove : .set(try decode(type, forKey: key))
  }
}

/// The names of a JSON object's members, whatever they hold.
struct FieldNames: Decodable {
  let names: [String]

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
  }
}

extension Request {
  /// Refuses a body that names what its sender may not set, rather than passing over it: who sends `role` means it.
  /// - Throws: `forbidden` with a pointer to each.
  func forbid(_ forbidden: Set<String>) throws(Problem) {
    let names = try json(FieldNames.self).names.filter(forbidden.contains).sorted()
    if names.isEmpty { return }
    var problem = BearerGate.forbidden
    problem.errors = names.map { Problem.FieldError("/\($0)", "may not be set by this caller") }
    throw problem
  }
}
