@testable import App

/// Access tokens: none is taken that was not signed, an altered one never; and what is taken says what Foundation reads.
///
/// The bytes are a header, a line's end, claims, and perhaps another line's end with an alteration of the token that
/// is made of them. Without any line's end they are a token as it might come.
enum TokenTarget: FuzzTarget {
  /// One key of each kind that the settings allow; the private ones from RFC 7515 A.3 and RFC 8037 A.1.
  private static let keys = [SigningKey(bytes: Array(0..<32))!] + pairs.map(SigningKey.init)
  /// In an enum's payload LeakSanitizer takes no reference for one, and these would be leaks.
  private static let pairs = [read(p256), read(ed25519)]
  private static let now: Int64 = 1_795_460_400

  static func run(_ bytes: UnsafeRawBufferPointer) {
    let parts = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count > 1 else {
      // Nobody signed it.
      return precondition(keys.allSatisfy { verify([UInt8](bytes), $0) == nil }, "a made-up token was taken")
    }
    let (header, claims) = ([UInt8](parts[0]), [UInt8](parts[1]))
    // The slow keys now and then: what differs between keys is a few lines.
    let key = keys[claims.count % 16 < 14 ? 0 : claims.count % 16 - 13]
    guard let token = sign(header, claims, key) else { preconditionFailure("it cannot be signed") }
    checkTaken(verify(token, key), header, claims, key)
    if parts.count == 3 { alter(token, by: [UInt8](parts[2]), key) }
  }

  private static func verify(_ token: [UInt8], _ key: SigningKey) -> ValidToken? {
    token.withUnsafeBytes { bytes in
      do throws(TokenFailure) { return try JWT.verify(bytes, with: key, now: now) } catch { return nil }
    }
  }

  private static func sign(_ header: [UInt8], _ claims: [UInt8], _ key: SigningKey) -> [UInt8]? {
    let message = Array((Base64URL.encode(header) + "." + Base64URL.encode(claims)).utf8)
    precondition(Base64URL.decode(Base64URL.encode(claims).utf8) == claims)
    let signature = try? message.withUnsafeBytes { try key.signature(of: $0) }
    return signature.map { message + ".".utf8 + Base64URL.encode($0).utf8 }
  }

  // MARK: What is taken

  /// A right signature is not enough: algorithm, type, names and times must be right as Foundation reads them.
  private static func checkTaken(
    _ token: ValidToken?, _ header: [UInt8], _ claims: [UInt8], _ key: SigningKey
  ) {
    guard let token else { return }
    guard let head = try? JSON.decode(JudgedHeader.self, from: header),
      let said = try? JSON.decode(JudgedClaims.self, from: claims)
    else { preconditionFailure("a token was taken that Foundation cannot read") }
    precondition(head.alg == key.algorithm.rawValue && head.typ.lowercased().hasSuffix("at+jwt"))
    precondition(head.crit == nil, "an extension was passed over")
    precondition(said.iss == "wattloop" && said.aud.contains("wattloop"))
    precondition(said.role == token.caller.role.rawValue)
    // A caller's time goes to the year 2106, and is cut to that.
    let expiry = min(Int64(said.exp), Int64(UInt32.max))
    precondition(expiry == token.caller.expiresAt && token.caller.expiresAt + JWT.leeway > now)
    precondition(Int64(said.iat) <= now + JWT.leeway && Int64(said.nbf ?? 0) <= now + JWT.leeway)
    precondition(said.ver ?? 0 == token.version)
    precondition(EntityID.user.text(token.caller.user) == said.sub, "it speaks for another user")
  }

  private struct JudgedHeader: Decodable {
    let alg: String
    let typ: String
    let crit: [String]?
  }

  private struct JudgedClaims: Decodable {
    let iss: String
    let sub: String
    let iat: Double
    let exp: Double
    let nbf: Double?
    let jti: String
    let role: String
    let sid: String?
    let ver: Int64?
    let aud: [String]

    private enum Key: String, CodingKey { case iss, sub, iat, exp, nbf, jti, role, sid, ver, aud }

    init(from decoder: any Decoder) throws {
      let claims = try decoder.container(keyedBy: Key.self)
      iss = try claims.decode(String.self, forKey: .iss)
      sub = try claims.decode(String.self, forKey: .sub)
      iat = try claims.decode(Double.self, forKey: .iat)
      exp = try claims.decode(Double.self, forKey: .exp)
      nbf = try claims.decodeIfPresent(Double.self, forKey: .nbf)
      jti = try claims.decode(String.self, forKey: .jti)
      role = try claims.decode(String.self, forKey: .role)
      sid = try claims.decodeIfPresent(String.self, forKey: .sid)
      ver = try claims.decodeIfPresent(Int64.self, forKey: .ver)
      let one = try? claims.decode(String.self, forKey: .aud)
      aud = try one.map { [$0] } ?? claims.decode([String].self, forKey: .aud)
    }
  }

  // MARK: Alterations

  /// Three bytes each: two for the place, one to be added there. Cut off is an alteration, too.
  private static func alter(_ token: [UInt8], by edits: [UInt8], _ key: SigningKey) {
    var altered = token
    for start in stride(from: 0, to: edits.count - 2, by: 3) {
      let place = (Int(edits[start]) << 8 | Int(edits[start + 1])) % altered.count
      altered[place] &+= edits[start + 2]
    }
    if edits.count % 3 == 1 { altered.removeLast(1 + Int(edits[edits.count - 1]) % altered.count) }
    if altered == token { return }
    precondition(verify(altered, key) == nil, "an altered token was taken")
  }

  // MARK: Keys

  private static func read(_ pem: String) -> KeyPair {
    guard let pair = try? PrivateKeyPEM.read(Array(pem.utf8)[...]) else { preconditionFailure("no key") }
    return pair
  }

  private static let p256 = """
    -----BEGIN PRIVATE KEY-----
    MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCOmxCecZCYv5gEh98f
    XXfpyylgbr7SJjtfV8IT34T0sg==
    -----END PRIVATE KEY-----

    """

  private static let ed25519 = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
    -----END PRIVATE KEY-----

    """
}
