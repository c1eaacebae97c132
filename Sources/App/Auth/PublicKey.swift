import COpenSSL

/// The public part of a signing key as a JWK (RFC 7517 §4; RFC 7518 §6.2, RFC 8037 §2).
struct PublicKey: Sendable, Encodable {
  let kty: String
  let crv: String
  let x: String
  /// Only of an EC key.
  let y: String?
  var use = "sig"
  let alg: String
  /// The key's thumbprint (RFC 7638).
  let kid: String

  init(_ pair: KeyPair, _ algorithm: SigningKey.Algorithm) {
    let coordinates = pair.coordinates.map(Base64URL.encode)
    x = coordinates[0]
    switch pair.curve {
    case .p256: (kty, crv, y) = ("EC", "P-256", coordinates[1])
    case .ed25519: (kty, crv, y) = ("OKP", "Ed25519", nil)
    }
    alg = algorithm.rawValue
    kid = Self.thumbprint(kty: kty, crv: crv, x: x, y: y)
  }

  /// The digest of the required members, in the order of their names and without spaces (RFC 7638 §3). None holds
  /// a character that JSON would escape.
  private static func thumbprint(kty: String, crv: String, x: String, y: String?) -> String {
    let rest = y.map { #","y":"\#($0)""# } ?? ""
    let members = Array(#"{"crv":"\#(crv)","kty":"\#(kty)","x":"\#(x)"\#(rest)}"#.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(members, members.count, &digest)
    return Base64URL.encode(digest)
  }
}
