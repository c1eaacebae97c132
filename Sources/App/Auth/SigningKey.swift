import COpenSSL

/// The key that signs and checks access tokens: a secret (HMAC-SHA-256, RFC 7518 §3.2), or a private key whose
/// public part anybody may have, to check tokens without this server.
public struct SigningKey: Sendable {
  /// As a token's header names them (RFC 7518 §3.1, RFC 8037 §3.1). A key has one, and no token can choose.
  enum Algorithm: String, Sendable {
    case hs256 = "HS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
  }

  struct Failure: Error {}

  private enum Material: Sendable {
    case secret([UInt8])
    case pair(KeyPair)
  }

  let algorithm: Algorithm
  /// nil for a secret.
  let publicKey: PublicKey?
  private let material: Material

  /// - Parameter bytes: 32 or more (RFC 7518 §3.2: no shorter than the digest).
  init?(bytes: [UInt8]) {
    guard bytes.count >= 32, bytes.count <= 1024 else { return nil }
    algorithm = .hs256
    publicKey = nil
    material = .secret(bytes)
  }

  init(_ pair: KeyPair) {
    switch pair.curve {
    case .p256: algorithm = .es256
    case .ed25519: algorithm = .edDSA
    }
    publicKey = PublicKey(pair, algorithm)
    material = .pair(pair)
  }

  /// - Throws: `Failure` if OpenSSL fails: a token without a signature must not leave.
  func signature(of message: UnsafeRawBufferPointer) throws(Failure) -> [UInt8] {
    let signature =
      switch material {
      case .secret(let bytes): HMACSHA256.code(of: message, under: bytes)
      case .pair(let pair): pair.signature(of: message)
      }
    guard let signature else { throw Failure() }
    return signature
  }

  /// A failure inside OpenSSL lets nobody in.
  func isSignature(_ signature: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
    switch material {
    case .secret(let bytes):
      guard let code = HMACSHA256.code(of: message, under: bytes), code.count == signature.count else {
        return false
      }
      // In constant time: how many bytes are right must not show.
      return CRYPTO_memcmp(signature, code, code.count) == 0
    case .pair(let pair): return pair.isSignature(signature, of: message)
    }
  }

  /// A secret that only this key gives, the same each time.
  /// - Parameters:
  ///   - label: the purpose; secrets of two purposes tell nothing of each other, nor of tokens' signatures.
  ///   - message: what it is for within the purpose.
  /// - Returns: 32 bytes.
  func derivedSecret(_ label: String, _ message: [UInt8]) -> [UInt8] {
    let bytes =
      switch material {
      case .secret(let bytes): bytes
      case .pair(let pair): pair.secret
      }
    guard let key = HMACSHA256.key(from: bytes, purpose: label),
      let secret = HMACSHA256.code(of: message, under: key)
    else {
      // HMAC fails when there is no memory, where Swift ends the program too; anything returned here could be
      // guessed.
      preconditionFailure("OpenSSL cannot compute HMAC-SHA-256")
    }
    return secret
  }
}
