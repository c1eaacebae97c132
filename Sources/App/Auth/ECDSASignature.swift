import COpenSSL

/// The two forms of a P-256 signature: JWS writes r and s as 32 bytes each (RFC 7518 §3.4), OpenSSL reads and
/// writes DER (RFC 3279 §2.2.3).
enum ECDSASignature {
  /// Bytes of r, and of s.
  private static let half = 32
  /// The longest DER: two integers of 33 bytes, their heads, and the sequence's.
  static let longestDER = 72

  /// - Returns: 64 bytes; nil if it is no DER signature.
  static func raw(fromDER der: ArraySlice<UInt8>) -> [UInt8]? {
    let signature = der.withUnsafeBufferPointer { der in
      var next = der.baseAddress
      return d2i_ECDSA_SIG(nil, &next, der.count)
    }
    guard let signature else { return nil }
    defer { ECDSA_SIG_free(signature) }
    return Self.bytes(ECDSA_SIG_get0_r(signature)).flatMap { r in
      Self.bytes(ECDSA_SIG_get0_s(signature)).map { r + $0 }
    }
  }

  /// - Returns: nil for another length than 64.
  static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
    guard raw.count == 2 * half, let signature = ECDSA_SIG_new() else { return nil }
    defer { ECDSA_SIG_free(signature) }
    guard let r = number(raw[..<half]) else { return nil }
    guard let s = number(raw[half...]), ECDSA_SIG_set0(signature, r, s) == 1 else {
      BN_free(r)
      return nil
    }
    var der = [UInt8](repeating: 0, count: longestDER)
    let count = der.withUnsafeMutableBufferPointer { der in
      // It moves the pointer on, and asks for no size: `longestDER` holds any two numbers of 32 bytes.
      var next = der.baseAddress
      return i2d_ECDSA_SIG(signature, &next)
    }
    return count > 0 ? Array(der.prefix(Int(count))) : nil
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> OpaquePointer? {
    bytes.withUnsafeBufferPointer { BN_bin2bn($0.baseAddress, Int32($0.count), nil) }
  }

  private static func bytes(_ number: OpaquePointer?) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: half)
    return BN_bn2binpad(number, &bytes, Int32(half)) == Int32(half) ? bytes : nil
  }
}
