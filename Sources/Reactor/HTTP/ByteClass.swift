/// A set of ASCII characters as a bitmap, and the sets of the HTTP grammar.
///
/// The sets are computed properties: a `static let` would cost a check of its one-time initialiser at each
/// byte.
struct ByteClass {
  private let low: UInt64
  private let high: UInt64

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    byte < 0x80 && (byte < 0x40 ? low : high) >> UInt64(byte & 0x3F) & 1 == 1
  }

  /// tchar: letters, digits and ``!#$%&'*+-.^_`|~`` (RFC 9110 §5.6.2).
  static var token: ByteClass { ByteClass(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

  /// What a request-target may hold: visible ASCII but `#`, since a fragment is never sent (RFC 9112 §3.2).
  /// Browsers leave `|`, `^`, `{` and the like unescaped in a query, so RFC 3986 is not enforced to the
  /// letter.
  static var target: ByteClass { ByteClass(low: 0xFFFF_FFF6_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }

  /// reg-name without its percent-encoded bytes: unreserved and sub-delims (RFC 3986 §3.2.2).
  static var registeredName: ByteClass { ByteClass(low: 0x2BFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }

  static var hexDigit: ByteClass { ByteClass(low: 0x03FF_0000_0000_0000, high: 0x0000_007E_0000_007E) }
}

extension UInt8 {
  static var tab: UInt8 { 0x09 }
  static var lineFeed: UInt8 { 0x0A }
  static var carriageReturn: UInt8 { 0x0D }
  static var space: UInt8 { 0x20 }

  /// OWS and BWS are made of these two (RFC 9110 §5.6.3).
  var isBlank: Bool { self == .space || self == .tab }

  /// CTL of RFC 5234: no field value and no request line may hold one; a tab is told apart by the caller.
  var isControl: Bool { self < 0x20 || self == 0x7F }

  var isDigit: Bool { self >= 0x30 && self <= 0x39 }

  /// The value of a hexadecimal digit, nil for any other byte.
  var hexValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x37
    case 0x61...0x66: self - 0x57
    default: nil
    }
  }
}
