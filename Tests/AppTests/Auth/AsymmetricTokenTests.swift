import Foundation
import Testing

@testable import App

/// Tokens under a private key, and those that only look like it (RFC 8725 §2.1, §3.1).
@Suite struct AsymmetricTokenTests {
  private let ec: SigningKey
  private let ed: SigningKey
  private let now = Timestamp.now()

  init() throws {
    ec = try TestKeys.read(TestKeys.pkcs8)
    ed = try TestKeys.read(TestKeys.ed25519)
  }

  private func issue(_ key: SigningKey) throws -> String {
    try TokenIssuer(key: key, lifetime: .seconds(900)).issue(to: 12, role: .client, now: now)
  }

  /// The user, or why there is none.
  private func verify(_ token: String, _ key: SigningKey) -> Result<Int64, TokenFailure> {
    Array(token.utf8).withUnsafeBytes { bytes in
      Result { () throws(TokenFailure) in
        try JWT.verify(bytes, with: key, now: now.milliseconds / 1000).caller.user
      }
    }
  }

  /// A token with that header and an issued token's claims.
  private func token(_ header: String, sign: (String) throws -> [UInt8]) throws -> String {
    let claims = try issue(ec).split(separator: ".")[1]
    let message = Base64URL.encode(header.utf8) + "." + claims
    return message + "." + Base64URL.encode(try sign(message))
  }

  @Test func `a token that was issued is taken, and names its key`() throws {
    for key in [ec, ed] {
      let token = try issue(key)
      #expect(verify(token, key) == .success(12))
      let header = try #require(Base64URL.decode(token.utf8.prefix { $0 != UInt8(ascii: ".") }))
      let kid = try #require(key.publicKey?.kid)
      #expect(
        String(decoding: header, as: UTF8.self)
          == #"{"alg":"\#(key.algorithm.rawValue)","kid":"\#(kid)","typ":"at+jwt"}"#)
    }
  }

  @Test func `another algorithm's token is refused before its signature is looked at`() throws {
    let secret = try #require(SigningKey(bytes: Array(0..<32)))
    let all = [ec, ed, secret]
    for (index, key) in all.enumerated() {
      for (other, verifier) in all.enumerated() where other != index {
        #expect(verify(try issue(key), verifier) == .failure(.wrongClaims))
      }
    }
  }

  /// The public part is known to everybody, and must not do as a secret.
  @Test(arguments: ["HS256", "ES256", "none", "ES384", "es256"])
  func `the public key is no secret`(_ algorithm: String) throws {
    let secret = try #require(SigningKey(bytes: Array(TestKeys.publicPart.utf8)))
    let token = try token(#"{"alg":"\#(algorithm)","typ":"at+jwt"}"#) { try secret.signature(of: $0) }
    #expect(verify(token, ec) == .failure(algorithm == "ES256" ? .badSignature : .wrongClaims))
  }

  @Test func `an unsigned token is no token`() throws {
    let unsigned = try token(#"{"alg":"none","typ":"at+jwt"}"#) { _ in [] }
    for (key, algorithm) in [(ec, "ES256"), (ed, "EdDSA")] {
      #expect(verify(unsigned, key) == .failure(.wrongClaims))
      let stripped = try token(#"{"alg":"\#(algorithm)","typ":"at+jwt"}"#) { _ in [] }
      #expect(verify(stripped, key) == .failure(.badSignature))
    }
  }

  /// Neither an unknown key's name nor this one's counts: the signature does.
  @Test(arguments: [#""unknown""#, #""../../jwt.key""#, "7", "null"])
  func `the key's name in a header chooses nothing`(_ kid: String) throws {
    let header = #"{"alg":"EdDSA","typ":"at+jwt","kid":\#(kid)}"#
    #expect(verify(try token(header) { try ed.signature(of: $0) }, ed) == .success(12))
    #expect(verify(try token(header) { _ in Array(repeating: 1, count: 64) }, ed) == .failure(.badSignature))
  }

  @Test func `another key of the same kind is refused, though the header names this one`() throws {
    // PKCS#8 around 32 bytes (RFC 8410 §7).
    let head: [UInt8] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]
    let der = Data(head + Array(repeating: 7, count: 32)).base64EncodedString()
    let other = try TestKeys.read("-----BEGIN PRIVATE KEY-----\n\(der)\n-----END PRIVATE KEY-----\n")
    let kid = try #require(ed.publicKey?.kid)
    let forged = try token(#"{"alg":"EdDSA","kid":"\#(kid)","typ":"at+jwt"}"#) { try other.signature(of: $0) }
    #expect(verify(forged, ed) == .failure(.badSignature))
    #expect(verify(forged, other) == .success(12))
  }

  @Test func `a signature in DER is none, whatever follows or is cut off`() throws {
    let header = #"{"alg":"ES256","typ":"at+jwt"}"#
    let der = try token(header) { try #require(ECDSASignature.der(fromRaw: ec.signature(of: $0))) }
    #expect(verify(der, ec) == .failure(.badSignature))
    for (key, header) in [(ec, header), (ed, #"{"alg":"EdDSA","typ":"at+jwt"}"#)] {
      let changes: [@Sendable ([UInt8]) -> [UInt8]] = [
        { $0 + [0] }, { Array($0.dropLast()) }, { [0] + $0 }, { Array($0.dropFirst()) }, { $0 + $0 },
      ]
      for change in changes {
        let changed = try token(header) { change(try key.signature(of: $0)) }
        #expect(verify(changed, key) == .failure(.badSignature))
      }
    }
  }

  /// A zero in place of r or s once passed for a signature of anything (CVE-2022-21449).
  @Test func `r and s are neither zero nor as large as the order`() throws {
    let zero = [UInt8](repeating: 0, count: 32)
    // n of P-256 (SEC 2 §2.4.2).
    let order = try #require(Base64URL.decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE".utf8))
    let header = #"{"alg":"ES256","typ":"at+jwt"}"#
    for number in [zero, order, [UInt8](repeating: 255, count: 32)] {
      for forged in try [
        token(header) { try number + ec.signature(of: $0)[32...] },
        token(header) { try ec.signature(of: $0)[..<32] + number },
        token(header) { _ in number + number },
      ] {
        #expect(verify(forged, ec) == .failure(.badSignature))
      }
    }
  }

  @Test func `no changed bit of a signature goes unseen`() throws {
    for key in [ec, ed] {
      let signature = try key.signature(of: "message")
      #expect(signature.count == 64)
      for bit in 0..<512 {
        var changed = signature
        changed[bit / 8] ^= 1 << (bit % 8)
        #expect(!key.isSignature(changed, of: "message"))
      }
    }
  }

  /// r and s vary in length, and their leading zeros count: some of these have one.
  @Test func `every signature is 64 bytes and holds`() throws {
    for number in 0..<1024 {
      let signature = try ec.signature(of: "\(number)")
      #expect(signature.count == 64)
      #expect(ec.isSignature(signature, of: "\(number)"))
    }
  }
}
