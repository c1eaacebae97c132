import Foundation
import Testing

@testable import App

/// A key, a moment, and tokens made by hand.
private enum Fixture {
  static let key = SigningKey(bytes: Array(0..<32))!
  static let other = SigningKey(bytes: Array(1...32))!
  static let now: Int64 = 1_795_460_400
  static let header = #"{"alg":"HS256","typ":"at+jwt"}"#

  static func claims(_ changes: [String: String?] = [:]) -> String {
    var all: [String: String?] = [
      "iss": #""wattloop""#, "aud": #""wattloop""#, "sub": #""u12""#, "iat": "\(now)", "exp": "\(now + 900)",
      "jti": #""x""#, "role": #""client""#,
    ]
    all.merge(changes) { $1 }
    // Sorted: a dictionary's order differs from one to the next, and with it the token.
    let members = all.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
    return "{" + members.sorted().joined(separator: ",") + "}"
  }

  static func token(_ header: String = header, _ claims: String = claims(), key: SigningKey = key) -> String {
    let message = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8)
    let signature = Array(message.utf8).withUnsafeBytes { try? key.signature(of: $0) }
    return message + "." + Base64URL.encode(signature ?? [])
  }

  /// The caller, or why not.
  static func verify(_ token: String, now: Int64 = now) -> Result<Caller, TokenFailure> {
    Array(token.utf8).withUnsafeBytes { bytes in
      Result { () throws(TokenFailure) in try JWT.verify(bytes, with: key, now: now).caller }
    }
  }
}

@Suite struct JWTTests {
  private let caller = Caller(user: 12, role: .client, expiresAt: Fixture.now + 900)

  @Test func `a token that was issued is taken`() throws {
    let issuer = TokenIssuer(key: Fixture.key, lifetime: .seconds(900))
    let token = try issuer.issue(
      to: 12, role: .client, now: Timestamp(milliseconds: Fixture.now * 1000 + 999))
    #expect(Fixture.verify(token) == .success(caller))
    let header = Base64URL.decode(token.utf8.prefix { $0 != UInt8(ascii: ".") })
    #expect(header.map { String(decoding: $0, as: UTF8.self) } == Fixture.header)
  }

  @Test func `two tokens of one moment differ`() throws {
    let issuer = TokenIssuer(key: Fixture.key, lifetime: .seconds(900))
    let now = Timestamp.now()
    #expect(try issuer.issue(to: 1, role: .admin, now: now) != issuer.issue(to: 1, role: .admin, now: now))
  }

  /// RFC 7515 appendix A.1: the code of a known message under a known key.
  @Test func `the signature is HMAC-SHA-256`() throws {
    let key = try #require(
      Base64URL.decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow".utf8
      ).flatMap(SigningKey.init(bytes:)))
    let message =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6"
      + "Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    let code = try Array(message.utf8).withUnsafeBytes { try key.signature(of: $0) }
    #expect(Base64URL.encode(code) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
  }

  @Test(arguments: [
    #"{"typ":"AT+JWT","alg":"HS256","kid":"1"}"#, #"{"alg":"HS256","typ":"application/at+jwt"}"#,
  ])
  func `another writer's header is taken if it means the same`(_ header: String) {
    #expect(Fixture.verify(Fixture.token(header)) == .success(caller))
  }

  @Test(arguments: [
    #"{"alg":"none","typ":"at+jwt"}"#, #"{"alg":"HS512","typ":"at+jwt"}"#, #"{"alg":"hs256","typ":"at+jwt"}"#,
    #"{"alg":"RS256","typ":"at+jwt"}"#, #"{"alg":"HS256","typ":"JWT"}"#, #"{"alg":"HS256","typ":"id+jwt"}"#,
    #"{"alg":"HS256","typ":"at+jwt","crit":["b64"],"b64":false}"#,
    #"{"alg":"HS256","typ":"at+jwt","crit":null}"#,
  ])
  func `a header never chooses the algorithm or the kind`(_ header: String) {
    #expect(Fixture.verify(Fixture.token(header)) == .failure(.wrongClaims))
  }

  @Test(arguments: [#"{"alg":"HS256"}"#, #"{"typ":"at+jwt"}"#, "{}", "null", "[]", "", #"{"alg":1,"typ":2}"#])
  func `a header without algorithm and type is malformed`(_ header: String) {
    #expect(Fixture.verify(Fixture.token(header)) == .failure(.malformed))
  }

  @Test func `an unsigned token is no token`() {
    let signed = Fixture.token(#"{"alg":"none","typ":"at+jwt"}"#)
    let unsigned = signed[...signed.lastIndex(of: ".")!]
    #expect(Fixture.verify(String(unsigned)) == .failure(.wrongClaims))
    let stripped = Fixture.token().split(separator: ".").dropLast().joined(separator: ".") + "."
    #expect(Fixture.verify(stripped) == .failure(.badSignature))
  }

  @Test func `another key's signature is bad`() {
    #expect(Fixture.verify(Fixture.token(key: Fixture.other)) == .failure(.badSignature))
  }

  @Test func `no changed bit goes unseen`() {
    let token = Array(Fixture.token().utf8)
    for index in token.indices {
      for bit in 0..<8 {
        var changed = token
        changed[index] ^= 1 << bit
        let result = changed.withUnsafeBytes { bytes in
          Result { () throws(TokenFailure) in try JWT.verify(bytes, with: Fixture.key, now: Fixture.now) }
        }
        if case .success = result { Issue.record("byte \(index), bit \(bit)") }
      }
    }
  }

  @Test(arguments: ["", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "Zg==.Zg==.Zg=="])
  func `junk is malformed`(_ token: String) { #expect(Fixture.verify(token) == .failure(.malformed)) }

  @Test func `what is cut off or follows is malformed or badly signed`() {
    let token = Fixture.token()
    for length in 0..<token.count {
      if case .success = Fixture.verify(String(token.prefix(length))) { Issue.record("\(length)") }
    }
    for tail in ["A", ".", "=", " ", "\n", ".AAAA"] {
      if case .success = Fixture.verify(token + tail) { Issue.record("\(tail)") }
    }
    #expect(Fixture.verify(token + String(repeating: "A", count: 8192)) == .failure(.malformed))
  }

  @Test(
    arguments: [
      ["iss": #""other""#], ["iss": nil], ["aud": #""other""#], ["aud": nil], ["aud": #"["a","b"]"#],
      ["aud": "[]"],
      ["sub": #""c12""#], ["sub": #""12""#], ["sub": "12"], ["sub": nil], ["iat": nil], ["exp": nil],
      ["jti": nil],
      ["role": #""root""#], ["role": nil], ["exp": #""soon""#], ["exp": "1e300"], ["exp": "-1"],
      ["exp": "null"],
      ["sid": #""3""#], ["sid": "3"], ["sid": #""s-3""#], ["ver": "1.5"], ["ver": #""1""#],
      ["iat": "1e999"], ["exp": "99999999999999999999999999"],
    ] as [[String: String?]])
  func `claims that are missing or not for this service are refused`(_ changes: [String: String?]) {
    #expect(Fixture.verify(Fixture.token(Fixture.header, Fixture.claims(changes))) == .failure(.wrongClaims))
  }

  @Test func `a list of audiences with this service, and times with a fraction, are taken`() {
    let claims = Fixture.claims(["aud": #"["a","wattloop"]"#, "exp": "\(Fixture.now + 900).75", "x": "{}"])
    #expect(Fixture.verify(Fixture.token(Fixture.header, claims)) == .success(caller))
  }

  @Test func `claims are read as they were written`() throws {
    let claims = AccessClaims(
      user: 12, role: .admin, session: 3, version: 7, issuedAt: Fixture.now, expiresAt: Fixture.now + 900)
    #expect(TokenObject(try JSON.encode(claims)).flatMap(AccessClaims.init) == claims)
  }

  @Test(arguments: [
    ["sub": #""\u0075\u00312""#], ["exp": "1.7954613e9"], ["nbf": "null", "sid": "null", "ver": "null"],
    ["aud": #"[ "wattl\u006fop" ]"#], ["jti": "\"\u{e9}\\ud83d\\ude00\""], ["x": "[1,{}]", "y": "true"],
  ])
  func `other spellings of the same are taken`(_ changes: [String: String]) {
    let claims = Fixture.claims(changes.mapValues(Optional.some))
    #expect(Fixture.verify(Fixture.token(Fixture.header, claims)) == .success(caller), "\(claims)")
  }

  @Test(arguments: [
    ["x\":1,\"sub": #""u12""#], [#"\u0073ub"#: #""u12""#], ["aud": #"["wattloop",1]"#], ["x": "\"\\ud83d\""],
    ["x": "1,"],
  ])
  func `what is there twice, of two kinds or no JSON is refused`(_ changes: [String: String]) {
    let claims = Fixture.claims(changes.mapValues(Optional.some))
    #expect(Fixture.verify(Fixture.token(Fixture.header, claims)) == .failure(.wrongClaims), "\(claims)")
  }

  @Test func `a token lives until its end and 30 s`() {
    let token = Fixture.token()
    #expect(Fixture.verify(token, now: Fixture.now + 929) == .success(caller))
    #expect(Fixture.verify(token, now: Fixture.now + 930) == .failure(.expired))
  }

  @Test(arguments: ["iat", "nbf"])
  func `a token's beginning may be 30 s ahead`(_ claim: String) {
    let token = Fixture.token(Fixture.header, Fixture.claims([claim: "\(Fixture.now + 100)"]))
    #expect(Fixture.verify(token, now: Fixture.now + 70) == .success(caller))
    #expect(Fixture.verify(token, now: Fixture.now + 69) == .failure(.notYetValid))
  }

  @Test func `a key shorter than the digest is none`() {
    #expect(SigningKey(bytes: Array(repeating: 1, count: 31)) == nil)
  }

  @Test func `a caller fits an existential in place`() { #expect(MemoryLayout<Caller>.size <= 24) }
}

@Suite struct TokenVerifierTests {
  /// One place: any two tokens fight for it.
  private func verifier(_ now: @escaping () -> Int64) -> TokenVerifier {
    TokenVerifier(key: Fixture.key, places: 1, now: now)
  }

  private func verify(_ token: String, _ verifier: TokenVerifier) -> Result<Caller, TokenFailure> {
    Array(token.utf8).withUnsafeBytes { bytes in
      Result { () throws(TokenFailure) in try verifier.verify(bytes) }
    }
  }

  @Test func `a remembered token is found again, and forgotten at its end`() {
    var now = Fixture.now
    let verifier = verifier { now }
    let caller = Caller(user: 12, role: .client, expiresAt: Fixture.now + 900, session: 3)
    let token = Fixture.token(Fixture.header, Fixture.claims(["sid": #""s3""#]))
    #expect(verify(token, verifier) == .success(caller))
    #expect(
      verify(Fixture.token(Fixture.header, Fixture.claims(["sub": #""u7""#])), verifier) != .success(caller))
    for _ in 0..<3 { #expect(verify(token, verifier) == .success(caller)) }
    now += 930
    #expect(verify(token, verifier) == .failure(.expired))
  }

  @Test func `a remembered token vouches for no other, not even of the same length`() {
    let verifier = verifier { Fixture.now }
    let token = Fixture.token()
    _ = verify(token, verifier)
    let last = token.last == "A" ? "E" : "A"
    #expect(verify(token.dropLast() + last, verifier) == .failure(.badSignature))
    #expect(verify(String(token.dropLast()), verifier) != verify(token, verifier))
  }

  private func token(session: Int64? = nil, version: Int64? = nil, user: Int64 = 12) -> String {
    Fixture.token(
      Fixture.header,
      Fixture.claims([
        "sub": #""u\#(user)""#, "sid": session.map { #""s\#($0)""# }, "ver": version.map(String.init),
      ]))
  }

  @Test(arguments: [1, 1024])
  func `the tokens of an ended session are dead, remembered or not, and no others`(_ places: Int) {
    let verifier = TokenVerifier(key: Fixture.key, places: places) { Fixture.now }
    for session in [Int64(3), 4] { _ = verify(token(session: session), verifier) }
    verifier.end(session: 3, of: 12, until: Fixture.now + 930)
    #expect(verify(token(session: 3), verifier) == .failure(.revoked))
    #expect(verify(token(session: 3, version: 1), verifier) == .failure(.revoked))
    for other in [token(session: 4), token(), token(session: 5, user: 13)] {
      #expect(throws: Never.self) { try verify(other, verifier).get() }
    }
  }

  @Test func `a user's tokens of an earlier version are dead, as are those that name none`() {
    let verifier = TokenVerifier(key: Fixture.key) { Fixture.now }
    _ = verify(token(session: 3), verifier)
    verifier.revoke(12, below: 2)
    for dead in [token(session: 3), token(), token(session: 3, version: 1)] {
      #expect(verify(dead, verifier) == .failure(.revoked))
    }
    for other in [token(session: 3, version: 2), token(user: 13)] {
      #expect(throws: Never.self) { try verify(other, verifier).get() }
    }
  }

  @Test func `a token without a session is one of its own`() throws {
    let verifier = TokenVerifier(key: Fixture.key) { Fixture.now }
    let one = try verify(token(), verifier).get()
    let other = try verify(token(version: 0), verifier).get()
    #expect(one.session < 0 && other.session < 0 && one.session != other.session)
    verifier.end(session: one.session, of: 12, until: Fixture.now + 930)
    #expect(verify(token(), verifier) == .failure(.revoked))
    #expect(verify(token(version: 0), verifier) == .success(other))
  }

  @Test func `an ended session is forgotten when its tokens have expired anyway`() {
    var revocations = Revocations()
    for session in Int64(1)...100_000 {
      revocations.end(session: session, until: session + 10, now: session)
      #expect(revocations.sessionCount <= 1024)
    }
    let caller = Caller(user: 1, role: .client, expiresAt: .max, session: 100_000)
    #expect(revocations.cover(caller, version: 0))
  }

  @Test func `a bad token is not remembered`() {
    let verifier = verifier { Fixture.now }
    let bad = Fixture.token(key: Fixture.other)
    #expect(verify(bad, verifier) == .failure(.badSignature))
    #expect(verify(bad, verifier) == .failure(.badSignature))
  }
}

@Suite struct BearerTokenTests {
  @Test(arguments: [
    ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER   abc", "abc"), ("Bearer", ""), ("Bearer ", ""),
    ("Bearerabc", nil), ("Basic abc", nil), ("", nil), ("Bear", nil), ("Bearer\tabc", nil),
  ])
  func `the token follows the scheme`(_ value: String, _ token: String?) {
    Array(value.utf8).withUnsafeBytes { bytes in
      let found = BearerToken.find(in: bytes).map { String(decoding: $0, as: UTF8.self) }
      #expect(found == token)
    }
  }
}

@Suite struct SigningKeyFileTests {
  private func configuration(_ directory: TemporaryDirectory, key: String? = nil) -> Configuration {
    var configuration = Configuration()
    configuration.data = directory.path
    configuration.jwtKey = key
    return configuration
  }

  private func code(_ key: SigningKey) -> [UInt8]? { [1].withUnsafeBytes { try? key.signature(of: $0) } }

  @Test func `the store's key is made once, for its owner alone`() throws {
    let directory = try TemporaryDirectory()
    let first = try SigningKeyFile.load(configuration(directory))
    let second = try SigningKeyFile.load(configuration(directory))
    #expect(code(first) == code(second))
    let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/jwt.key")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["jwt.key"])
  }

  @Test func `making a key leaves the one that is there`() throws {
    let directory = try TemporaryDirectory()
    let first = try SigningKeyFile.load(configuration(directory))
    try SigningKeyFile.create(directory.path + "/jwt.key")
    #expect(try code(SigningKeyFile.load(configuration(directory))) == code(first))
  }

  @Test func `a key of one's own is read, with padding or without`() throws {
    let directory = try TemporaryDirectory()
    let bytes = Array(UInt8(0)..<32)
    let padded = try directory.file("own", Base64URL.encode(bytes) + "=\n")
    let key = try SigningKeyFile.load(configuration(directory, key: padded))
    #expect(code(key) == code(Fixture.key))
  }

  @Test(arguments: ["", "short\n", "AAAA\n", "not base 64 at all, but long enough for a key to be in it\n"])
  func `a file without a key is a wrong setting`(_ contents: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("own", contents)
    #expect(throws: ConfigurationError.self) { try SigningKeyFile.load(configuration(directory, key: file)) }
  }

  @Test func `a key that is not there is a wrong setting, and none is made`() throws {
    let directory = try TemporaryDirectory()
    let missing = directory.path + "/missing"
    #expect(throws: ConfigurationError.self) {
      try SigningKeyFile.load(configuration(directory, key: missing))
    }
    #expect(!FileManager.default.fileExists(atPath: missing))
  }
}
