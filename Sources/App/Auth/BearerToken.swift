/// The `Authorization` field of RFC 6750 §2.1.
public enum BearerToken {
  /// The token in the field's value; nil if it has another scheme. Empty if the scheme has no token.
  public static func find(in value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    let scheme: StaticString = "bearer"
    let count = scheme.utf8CodeUnitCount
    guard value.count >= count, value.count == count || value[count] == 0x20 else { return nil }
    for i in 0..<count where value[i] | 0x20 != scheme.utf8Start[i] { return nil }
    return UnsafeRawBufferPointer(rebasing: value[count...].drop { $0 == 0x20 })
  }
}
