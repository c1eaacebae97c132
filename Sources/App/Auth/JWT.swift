import Foundation

/// Why a token is not taken. Its text is for the client, and says no more than the client can know.
public enum TokenFailure: String, Error, Sendable {
  case malformed = "The access token is malformed"
  case badSignature = "The access token is not valid"
  case wrongClaims = "The access token is not for this service"
  case notYetValid = "The access token is not valid yet"
  case expired = "The access token expired"
  case revoked = "The access token was revoked"
}

/// A token whose signature, claims and times are right. Whether it was revoked is for `Revocations` to say.
struct ValidToken: Equatable {
  let caller: Caller
  let version: Int64
}

/// Access tokens: JWS compact serialisation (RFC 7515), `at+jwt` (RFC 9068), checked as RFC 8725 demands: the
/// algorithm is the key's, and what a header says can only agree with it.
///
/// It is written here and not taken from a library because a token is checked on the loop, synchronously.
enum JWT {
  /// Clocks of honest machines may differ by this many seconds.
  static let leeway: Int64 = 30
  static let longest = 4096

  static func sign(_ claims: AccessClaims, with key: SigningKey) throws -> String {
    // Nothing in it is a character that JSON would escape.
    let kid = key.publicKey.map { #","kid":"\#($0.kid)""# } ?? ""
    let header = #"{"alg":"\#(key.algorithm.rawValue)"\#(kid),"typ":"at+jwt"}"#
    let message = Base64URL.encode(header.utf8) + "." + Base64URL.encode(try JSON.encode(claims))
    let signature = try Array(message.utf8).withUnsafeBytes { try key.signature(of: $0) }
    return message + "." + Base64URL.encode(signature)
  }

  /// - Parameter now: Unix seconds.
  static func verify(
    _ token: UnsafeRawBufferPointer, with key: SigningKey, now: Int64
  ) throws(TokenFailure) -> ValidToken {
    guard token.count <= longest else { throw .malformed }
    let parts = token.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2])
    else { throw .malformed }
    try check(header: header, key.algorithm)
    let message = UnsafeRawBufferPointer(rebasing: token[..<parts[1].endIndex])
    guard key.isSignature(signature, of: message) else { throw .badSignature }
    return try check(claims: body, now: now)
  }

  /// RFC 8725 §3.1 and §3.11. A media type may leave out its `application/` (RFC 7515 §4.1.9). A `kid` is not read:
  /// there is one key, and a token of another's fails at its signature.
  private static func check(header: [UInt8], _ algorithm: SigningKey.Algorithm) throws(TokenFailure) {
    guard let header = TokenObject(header), let type = (try? header.text("typ"))?.lowercased(),
      let alg = try? header.text("alg")
    else { throw .malformed }
    // Extensions that must be understood, whatever they are: none is (RFC 7515 §4.1.11).
    guard alg == algorithm.rawValue, type == "at+jwt" || type == "application/at+jwt", !header.has("crit")
    else { throw .wrongClaims }
  }

  private static func check(claims body: [UInt8], now: Int64) throws(TokenFailure) -> ValidToken {
    guard let claims = TokenObject(body).flatMap(AccessClaims.init),
      claims.issuer == AccessClaims.issuer, claims.audience == AccessClaims.audience,
      let user = EntityID.user.parse(claims.subject),
      let session = claims.session.map(EntityID.session.parse) ?? 0
    else { throw .wrongClaims }
    guard claims.issuedAt <= now + leeway, (claims.notBefore ?? 0) <= now + leeway else { throw .notYetValid }
    guard now < claims.expiresAt + leeway else { throw .expired }
    let caller = Caller(user: user, role: claims.role, expiresAt: claims.expiresAt, session: session)
    return ValidToken(caller: caller, version: claims.version ?? 0)
  }
}
