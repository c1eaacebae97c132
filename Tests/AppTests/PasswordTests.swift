import Testing

@testable import App

@Suite struct PasswordTests {
  private let hasher = PasswordHasher(n: 16)

  @Test func `a password is known by its hash, and no other is`() throws {
    let stored = try hasher.hash("correct horse")
    #expect(stored.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
    #expect(try hasher.verify("correct horse", against: stored))
    #expect(try !hasher.verify("correct horsf", against: stored))
    #expect(try !hasher.verify("", against: stored))
  }

  @Test func `two hashes of one password differ`() throws {
    #expect(try hasher.hash("same") != hasher.hash("same"))
  }

  /// RFC 7914 §12, the vector with r = 8 and p = 1.
  @Test func `the function is scrypt`() throws {
    let hash = try PasswordHash.derive("pleaseletmein", salt: Array("SodiumChloride".utf8), log2N: 14)
    let expected: [UInt8] = [
      0x70, 0x23, 0xBD, 0xCB, 0x3A, 0xFD, 0x73, 0x48, 0x46, 0x1C, 0x06, 0xCD, 0x81, 0xFD, 0x38, 0xEB,
      0xFD, 0xA8, 0xFB, 0xBA, 0x90, 0x4F, 0x8E, 0x3E, 0xA9, 0xB5, 0x43, 0xF6, 0x54, 0x5D, 0xA1, 0xF2,
    ]
    #expect(hash == expected)
  }

  @Test func `a hash made at another cost still counts`() throws {
    let stored = try PasswordHasher(n: 2).hash("correct horse")
    #expect(try hasher.verify("correct horse", against: stored))
  }

  @Test func `an accent typed as one code point or as two is the same`() throws {
    let stored = try hasher.hash("caf\u{E9}-12345")
    #expect(try hasher.verify("cafe\u{301}-12345", against: stored))
  }

  @Test func `nobody has the password of a user without one`() throws {
    #expect(try !hasher.verify("", against: nil))
    #expect(try !hasher.verify("", against: ""))
  }

  @Test(arguments: [
    "", "$scrypt$", "$scrypt$ln=99,r=8,p=1$AAAA$AAAA", "$scrypt$ln=0,r=8,p=1$AAAA$AAAA", "$bcrypt$x$y$z",
    "$scrypt$ln=04,r=8,p=1$AAAA$AAAA", "$scrypt$ln=4,r=9,p=1$AAAA$AAAA", "$scrypt$ln=4,r=8,p=1$AAAA$AAAA",
    "$scrypt$ln=4,r=8,p=1$A!AA$AAAA", "$scrypt$ln=,r=8,p=1$AAAA$AAAA",
  ])
  func `a stored text that is no hash lets nobody in`(_ text: String) throws {
    #expect(PasswordHash(text) == nil)
    #expect(try !hasher.verify("correct horse", against: text))
  }

  @Test func `a generated password is within the rules`() {
    #expect(Password.isValid(Password.generate()))
    #expect(Password.generate() != Password.generate())
  }

  @Test(arguments: [(7, false), (8, true), (256, true), (257, false)])
  func `a password has 8 to 256 characters`(_ count: Int, _ valid: Bool) {
    #expect(Password.isValid(String(repeating: "é", count: count)) == valid)
  }
}
