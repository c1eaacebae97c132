import COpenSSL

/// Makes and checks password hashes, at the cost that the settings name. A call blocks for some tenths of a
/// second.
public struct PasswordHasher: Sendable {
  private let log2N: UInt64
  /// Stands in for the hash of a user who has none or does not exist, so that the answer takes as long.
  private let dummy: PasswordHash

  /// - Parameter n: scrypt's N, a power of two from 2.
  public init(n: Int) {
    precondition(n >= 2 && n & (n - 1) == 0)
    log2N = UInt64(n.trailingZeroBitCount)
    dummy = PasswordHash(log2N: log2N, salt: RandomBytes.make(16), hash: RandomBytes.make(32))
  }

  /// - Returns: the text to store.
  public func hash(_ password: String) throws -> String {
    let salt = RandomBytes.make(16)
    let hash = try PasswordHash.derive(password, salt: salt, log2N: log2N)
    return PasswordHash(log2N: log2N, salt: salt, hash: hash).text
  }

  /// Whether the password is the stored one. Without a stored one the same work is done, for nothing.
  public func verify(_ password: String, against stored: String?) throws -> Bool {
    let known = stored.flatMap(PasswordHash.init)
    let expected = known ?? dummy
    let hash = try PasswordHash.derive(password, salt: expected.salt, log2N: expected.log2N)
    return CRYPTO_memcmp(hash, expected.hash, hash.count) == 0 && known != nil
  }
}
