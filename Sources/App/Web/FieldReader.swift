/// Reads a JSON object's members one by one and collects what is wrong with each, where `Decodable` alone ends at the
/// first: one answer names them all.
struct FieldReader<Key: CodingKey> {
  private let container: KeyedDecodingContainer<Key>
  private(set) var errors: [Problem.FieldError] = []

  /// - Throws: `DecodingError` if there is no object.
  init(_ decoder: any Decoder, keyedBy: Key.Type) throws {
    container = try decoder.container(keyedBy: Key.self)
  }

  /// What the object says of one field.
  /// - Parameters:
  ///   - rule: said of a value that `parse` returns nil for.
  /// - Returns: `keep` for a wrong value as well, of which `errors` then tells.
  mutating func change<Raw: Decodable & Sendable, Value: Sendable>(
    _ key: Key, _ rule: String, _ parse: (Raw) -> Value?
  ) -> FieldChange<Value> {
    do {
      switch try container.change(Raw.self, forKey: key) {
      case .keep: return .keep
      case .remove: return .remove
      case .set(let raw):
        if let value = parse(raw) { return .set(value) }
        add(key, rule)
      }
    } catch let error as DecodingError {
      // A number that does not fit comes without a path.
      errors += JSON.problem(error).errors.map { $0.pointer.isEmpty ? .init(pointer(key), $0.detail) : $0 }
    } catch {
      add(key, "cannot be used")
    }
    return .keep
  }

  /// The value of a field that must be there; nil if it is not, or is wrong.
  mutating func require<Raw: Decodable & Sendable, Value: Sendable>(
    _ key: Key, _ rule: String, _ parse: (Raw) -> Value?
  ) -> Value? {
    let before = errors.count
    switch change(key, rule, parse) {
    case .set(let value): return value
    case .remove: add(key, "must not be null")
    case .keep: if errors.count == before { add(key, "is missing") }
    }
    return nil
  }

  mutating func add(_ key: Key, _ detail: String) { errors.append(.init(pointer(key), detail)) }

  private func pointer(_ key: Key) -> String { JSON.pointer(container.codingPath + [key]) }
}
