/// Collects what is wrong with a body, so that one answer names all of it.
struct FieldErrors {
  private var errors: [Problem.FieldError] = []

  /// Records a value that is there but wrong.
  mutating func check<Value>(_ value: Value?, _ pointer: String, _ rule: String, _ test: (Value) -> Bool) {
    if let value, !test(value) { errors.append(Problem.FieldError(pointer, rule)) }
  }

  /// Records a text that is missing or wrong; the empty text then stands in for it.
  mutating func require(
    _ value: String?, _ pointer: String, _ rule: String, _ test: (String) -> Bool
  ) -> String {
    guard let value else {
      errors.append(Problem.FieldError(pointer, "is missing"))
      return ""
    }
    check(value, pointer, rule, test)
    return value
  }

  /// The value that a patch sets. Records a null: the field cannot go.
  mutating func value<Value>(_ change: FieldChange<Value>, _ pointer: String) -> Value? {
    switch change {
    case .keep: return nil
    case .set(let value): return value
    case .remove:
      errors.append(Problem.FieldError(pointer, "must not be null"))
      return nil
    }
  }

  func throwIfAny() throws(Problem) {
    if !errors.isEmpty { throw .validation(errors) }
  }
}
