import COpenSSL
import Foundation

/// A password's hash as the store keeps it: scrypt (RFC 7914) with its cost and salt,
/// `$scrypt$ln=17,r=8,p=1$<salt>$<hash>`.
struct PasswordHash: Equatable {
  static let r: UInt64 = 8
  static let p: UInt64 = 1

  let log2N: UInt64
  let salt: [UInt8]
  let hash: [UInt8]

  init(log2N: UInt64, salt: [UInt8], hash: [UInt8]) {
    self.log2N = log2N
    self.salt = salt
    self.hash = hash
  }

  var text: String {
    "$scrypt$ln=\(log2N),r=\(Self.r),p=\(Self.p)$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
  }

  /// nil for anything that `text` would not have written, or that would need more than 4 GiB to check.
  init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
      let cost = unsigned(parts[2].dropFirst(3).prefix { $0 != "," }, as: UInt64.self),
      (1...22).contains(cost),
      parts[2] == "ln=\(cost),r=\(Self.r),p=\(Self.p)",
      let salt = Base64URL.decode(parts[3].utf8), let hash = Base64URL.decode(parts[4].utf8), hash.count == 32
    else { return nil }
    self.init(log2N: cost, salt: salt, hash: hash)
  }

  struct Failure: Error {}

  /// The 32 bytes that a password gives. Blocks for as long as the cost says.
  /// - Throws: `Failure` if there is not enough memory.
  static func derive(_ password: String, salt: [UInt8], log2N: UInt64) throws -> [UInt8] {
    // RFC 8265 §4.2.2: the same accented letter may be typed as one code point or as two.
    var password = password.precomposedStringWithCanonicalMapping
    let n: UInt64 = 1 << log2N
    var hash = [UInt8](repeating: 0, count: 32)
    // OpenSSL refuses more than 32 MiB unless it is told.
    let memory = 128 * r * (n + p + 2) + (1 << 20)
    let result = password.withUTF8 { password in
      EVP_PBE_scrypt(
        UnsafeRawPointer(password.baseAddress)?.assumingMemoryBound(to: CChar.self), password.count,
        salt, salt.count, n, r, p, memory, &hash, hash.count)
    }
    guard result == 1 else { throw Failure() }
    return hash
  }
}
