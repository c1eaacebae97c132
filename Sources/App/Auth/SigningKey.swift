import COpenSSL
import Glibc

/// The secret that signs and checks access tokens (HMAC-SHA-256, RFC 7518 §3.2).
public struct SigningKey: Sendable {
  private let bytes: [UInt8]

  /// - Parameter bytes: 32 or more (RFC 7518 §3.2: no shorter than the digest).
  init?(bytes: [UInt8]) {
    guard bytes.count >= 32, bytes.count <= 1024 else { return nil }
    self.bytes = bytes
  }

  /// The tag of a message, 32 bytes.
  func authenticationCode(of message: UnsafeRawBufferPointer) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var count = 0
    let result = EVP_Q_mac(
      nil, "HMAC", nil, "SHA256", nil, bytes, bytes.count,
      message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count, &code, code.count, &count)
    // An empty code equals no signature: a failure inside OpenSSL lets nobody in.
    return result == nil || count != 32 ? [] : code
  }
}
