import COpenSSL

/// A private key and its public part, of a kind that signs tokens: EC P-256 or Ed25519.
struct KeyPair: Sendable {
  enum Curve: Sendable { case p256, ed25519 }

  let curve: Curve
  /// The public part, 32 bytes each: x and y, or x alone for Ed25519.
  let coordinates: [[UInt8]]
  /// The secret, 32 bytes.
  let secret: [UInt8]
  private let key: OpenSSLKey

  init(_ key: OpenSSLKey) throws(PrivateKeyFailure) {
    self.key = key
    defer { ERR_clear_error() }
    guard let curve = Self.curve(of: key) else { throw .otherKind }
    guard key.isConsistent, let secret = Self.secret(of: key, curve),
      let coordinates = Self.coordinates(of: key, curve)
    else { throw .broken }
    self.curve = curve
    self.coordinates = coordinates
    self.secret = secret
  }

  /// As JWS writes it (RFC 7518 §3.4, RFC 8037 §3.1), 64 bytes for either curve; nil if OpenSSL fails.
  func signature(of message: UnsafeRawBufferPointer) -> [UInt8]? {
    // What OpenSSL leaves in the thread's queue of errors would be taken for the next call's.
    defer { ERR_clear_error() }
    guard let context = EVP_MD_CTX_new() else { return nil }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestSignInit_ex(context, nil, digest, nil, nil, key.pointer, nil) == 1 else { return nil }
    var signature = [UInt8](repeating: 0, count: ECDSASignature.longestDER)
    var count = signature.count
    let bytes = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard EVP_DigestSign(context, &signature, &count, bytes, message.count) == 1 else { return nil }
    switch curve {
    case .p256: return ECDSASignature.raw(fromDER: signature[..<count])
    case .ed25519: return Array(signature[..<count])
    }
  }

  func isSignature(_ signature: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
    defer { ERR_clear_error() }
    guard let native = native(signature), let context = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestVerifyInit_ex(context, nil, digest, nil, nil, key.pointer, nil) == 1 else { return false }
    let bytes = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
    // 0 is a wrong signature; less, one that cannot be read.
    return EVP_DigestVerify(context, native, native.count, bytes, message.count) == 1
  }

  /// What the curve's scheme digests a message with: Ed25519 does that itself, and takes no name.
  private var digest: String? {
    switch curve {
    case .p256: "SHA256"
    case .ed25519: nil
    }
  }

  /// A JWS signature as OpenSSL reads it; nil for a wrong length.
  private func native(_ signature: [UInt8]) -> [UInt8]? {
    switch curve {
    case .p256: ECDSASignature.der(fromRaw: signature)
    case .ed25519: signature.count == 64 ? signature : nil
    }
  }

  private static func curve(of key: OpenSSLKey) -> Curve? {
    if key.isA("ED25519") { return .ed25519 }
    return key.isA("EC") && key.groupName == "prime256v1" ? .p256 : nil
  }

  private static func secret(of key: OpenSSLKey, _ curve: Curve) -> [UInt8]? {
    switch curve {
    case .p256: key.number(OSSL_PKEY_PARAM_PRIV_KEY)
    case .ed25519: key.string(OSSL_PKEY_PARAM_PRIV_KEY)
    }
  }

  private static func coordinates(of key: OpenSSLKey, _ curve: Curve) -> [[UInt8]]? {
    switch curve {
    case .p256:
      guard let x = key.number(OSSL_PKEY_PARAM_EC_PUB_X), let y = key.number(OSSL_PKEY_PARAM_EC_PUB_Y) else {
        return nil
      }
      return [x, y]
    case .ed25519: return key.string(OSSL_PKEY_PARAM_PUB_KEY).map { [$0] }
    }
  }
}
