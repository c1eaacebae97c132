import COpenSSL

/// HMAC with SHA-256 (RFC 2104), and the key derivation that is made of it (RFC 5869).
enum HMACSHA256 {
  /// - Returns: 32 bytes; nil if OpenSSL fails.
  static func code(of message: UnsafeRawBufferPointer, under key: [UInt8]) -> [UInt8]? {
    var code = [UInt8](repeating: 0, count: 32)
    var count = 0
    let result = EVP_Q_mac(
      nil, "HMAC", nil, "SHA256", nil, key, key.count,
      message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count, &code, code.count, &count)
    return result == nil || count != 32 ? nil : code
  }

  static func code(of message: [UInt8], under key: [UInt8]) -> [UInt8]? {
    message.withUnsafeBytes { code(of: $0, under: key) }
  }

  /// A key for one purpose: HKDF without salt, of which one block of output is enough.
  /// - Parameter purpose: what keeps this key apart from others of the same secret.
  /// - Returns: 32 bytes; nil if OpenSSL fails.
  static func key(from secret: [UInt8], purpose: String) -> [UInt8]? {
    let salt = [UInt8](repeating: 0, count: 32)
    return code(of: secret, under: salt).flatMap { code(of: Array(purpose.utf8) + [1], under: $0) }
  }
}
