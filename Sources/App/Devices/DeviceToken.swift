import COpenSSL

/// The token of a device key: `wlk_` and 32 bytes in base64url, so that people and scanners know one when they see it.
enum DeviceToken {
  private static let prefix = Array("wlk_".utf8)
  private static let secretBytes = 32

  static func text(_ secret: [UInt8]) -> String {
    String(decoding: prefix, as: UTF8.self) + Base64URL.encode(secret)
  }

  /// Whether the bytes are a token in form; nobody need have given it out.
  static func isOne(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: prefix) && Base64URL.decode(bytes.dropFirst(prefix.count))?.count == secretBytes
  }

  /// What the store keeps. The tokens cannot be guessed, so a plain digest is enough.
  static func digest(_ token: UnsafeRawBufferPointer) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(token.baseAddress?.assumingMemoryBound(to: UInt8.self), token.count, &digest)
    return Base64URL.encode(digest)
  }

  static func digest(_ token: String) -> String {
    var token = token
    return token.withUTF8 { digest(UnsafeRawBufferPointer($0)) }
  }
}
