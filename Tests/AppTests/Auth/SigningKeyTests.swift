import Foundation
import Testing

@testable import App

@Suite struct SigningKeyTests {
  /// RFC 7515 appendix A.3.
  @Test func `an ES256 signature of another's making is checked`() throws {
    let key = try TestKeys.read(TestKeys.sec1)
    let message =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y"
      + "b290Ijp0cnVlfQ"
    let signature = try #require(
      Base64URL.decode(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q".utf8))
    #expect(key.isSignature(signature, of: message))
    #expect(!key.isSignature(signature, of: message + "A"))
  }

  /// RFC 8037 appendix A.4 and A.5.
  @Test func `an EdDSA signature is made and checked`() throws {
    let key = try TestKeys.read(TestKeys.ed25519)
    let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    let signature = try key.signature(of: message)
    #expect(
      Base64URL.encode(signature)
        == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
    #expect(key.isSignature(signature, of: message))
    #expect(!key.isSignature(signature, of: message + "A"))
  }

  /// RFC 7515 appendix A.3.1; the thumbprint was computed elsewhere.
  @Test(arguments: [TestKeys.sec1, TestKeys.pkcs8])
  func `an EC key has its public part`(_ pem: String) throws {
    #expect(
      try publicPart(pem) == [
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
      ])
  }

  /// RFC 8037 appendix A.2 and A.3.
  @Test func `an Ed25519 key has its public part`() throws {
    #expect(
      try publicPart(TestKeys.ed25519) == [
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
      ])
  }

  @Test func `a secret has no public part`() {
    #expect(SigningKey(bytes: Array(0..<32))?.publicKey == nil)
  }

  private func publicPart(_ pem: String) throws -> [String: String] {
    let key = try #require(try TestKeys.read(pem).publicKey)
    return try JSONDecoder().decode([String: String].self, from: Data(JSON.encode(key)))
  }
}

@Suite struct DerivedSecretTests {
  private static let secret = SigningKey(bytes: Array(0..<32))

  private func keys() throws -> [SigningKey] {
    [try #require(Self.secret), try TestKeys.read(TestKeys.pkcs8), try TestKeys.read(TestKeys.ed25519)]
  }

  @Test func `the same key, label and message give the same 32 bytes`() throws {
    for (one, other) in zip(try keys(), try keys()) {
      let secret = one.derivedSecret("a label", [1, 2, 3])
      #expect(secret.count == 32)
      #expect(secret == other.derivedSecret("a label", [1, 2, 3]))
    }
    // However the key is written.
    #expect(
      try TestKeys.read(TestKeys.sec1).derivedSecret("a", [])
        == TestKeys.read(TestKeys.pkcs8).derivedSecret("a", []))
  }

  @Test func `keys, labels and messages all keep secrets apart`() throws {
    var seen: Set<[UInt8]> = []
    var count = 0
    for key in try keys() {
      for label in ["", "a", "ab", "b"] {
        for message in [[], [0], Array("a".utf8), Array("b".utf8)] as [[UInt8]] {
          seen.insert(key.derivedSecret(label, message))
          count += 1
        }
      }
    }
    #expect(seen.count == count)
  }

  /// Otherwise a token's signature would be somebody's secret.
  @Test func `a derived secret is no signature`() throws {
    let key = try #require(Self.secret)
    #expect(try key.derivedSecret("", Array("a".utf8)) != key.signature(of: "a"))
    #expect(try key.derivedSecret("a", []) != key.signature(of: "a"))
  }

  /// RFC 5869 appendix A.3, the first 32 of its 42 bytes.
  @Test func `keys are derived with HKDF`() {
    let key = HMACSHA256.key(from: Array(repeating: 0x0b, count: 22), purpose: "")
    let hex = key.map { $0.map { String(format: "%02x", $0) }.joined() }
    #expect(hex == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")
  }
}
