import Testing

@testable import App

@Suite struct PrivateKeyTests {
  @Test(arguments: [
    (TestKeys.sec1, SigningKey.Algorithm.es256), (TestKeys.pkcs8, .es256), (TestKeys.ed25519, .edDSA),
    ("a comment\n" + TestKeys.pkcs8, .es256),
    (TestKeys.ed25519.replacing("\n", with: "\r\n"), .edDSA),
    // `openssl ecparam -genkey` writes these first.
    (
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + TestKeys.sec1, .es256
    ),
  ])
  func `a file may hold a private key`(_ pem: String, _ algorithm: SigningKey.Algorithm) throws {
    let directory = try TemporaryDirectory()
    #expect(try SigningKeyFile.read(directory.file("key.pem", pem)).algorithm == algorithm)
  }

  @Test(arguments: [
    (TestKeys.p384, PrivateKeyFailure.otherKind), (TestKeys.x25519, .otherKind),
    (TestKeys.encrypted, .encrypted), (TestKeys.encryptedSEC1, .encrypted),
    (TestKeys.publicPart, .missing), (TestKeys.mixed, .broken), (TestKeys.zero, .broken),
    (String(TestKeys.pkcs8.dropLast(60)), .missing),
    ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .missing),
    ("-----BEGIN ", .missing),
    ("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n", .missing),
  ])
  func `any other key is a wrong setting, and the line says why`(_ pem: String, _ failure: PrivateKeyFailure)
    throws
  {
    let directory = try TemporaryDirectory()
    var configuration = Configuration()
    let file = try directory.file("key.pem", pem)
    configuration.jwtKey = file
    #expect(throws: ConfigurationError.message("--jwt-key: '\(file)' cannot be used: \(failure.rawValue)")) {
      try SigningKeyFile.load(configuration)
    }
  }

  @Test func `a file longer than any key is not read to its end`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("key.pem", String(repeating: "A", count: 16 << 10) + "A")
    #expect(throws: StoreError.self) { try SigningKeyFile.read(file) }
    let comment = String(repeating: "#", count: (16 << 10) - TestKeys.pkcs8.utf8.count - 1) + "\n"
    #expect(try SigningKeyFile.read(directory.file("full.pem", comment + TestKeys.pkcs8)).algorithm == .es256)
  }
}
