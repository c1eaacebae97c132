/// The rule for names: 1 to 64 of ASCII letters, digits, `.`, `_` and `-`, unique without case. ASCII alone,
/// so that two names which look the same are the same, and folding them needs no table of Unicode's.
public enum Username {
  static let rule = "must be 1 to 64 of the letters a to z, digits, '.', '_' and '-'"

  public static func isValid(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(isAllowed)
  }

  /// The form that is unique, and that names are found by.
  static func fold(_ name: String) -> String { name.lowercased() }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
