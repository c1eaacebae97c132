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

  func throwIfAny() throws(Problem) {
    if !errors.isEmpty { throw .validation(errors) }
  }
}
