/// Where a counter began anew, or where it was said that it did not.
struct Reset: Equatable, Sendable {
  enum Kind: String, Sendable {
    /// The register fell.
    case detected
    /// Somebody said that the meter was changed.
    case declared
    /// It fell, and somebody said that this was no reset: that reading was wrong.
    case undone
  }

  let kind: Kind
  /// The end of the first reading after the fall, or the time of the change.
  let at: Int64
  /// The register before; of a declared change nil if nobody read it.
  let before: Double?
  /// The register after.
  let after: Double
}
