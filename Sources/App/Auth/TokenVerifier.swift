import COpenSSL
import Glibc

/// Checks access tokens on the loop, and remembers those that it has checked: a client sends the same one
/// with each request, and a signature and two JSON objects are much work for each.
///
/// The memory has a fixed number of places, chosen by a seeded hash of the token; a newer token takes the
/// place of an older. An entry is the whole token, and lives no longer than it.
public final class TokenVerifier {
  private struct Entry {
    let token: [UInt8]
    let caller: Caller
  }

  private let key: SigningKey
  private let now: () -> Int64
  private var entries: [Entry?]

  /// - Parameters:
  ///   - places: how many tokens are remembered, a power of two.
  ///   - now: the wall clock, Unix seconds.
  public init(key: SigningKey, places: Int = 1024, now: @escaping () -> Int64 = { Int64(time(nil)) }) {
    precondition(places > 0 && places & (places - 1) == 0)
    self.key = key
    self.now = now
    entries = Array(repeating: nil, count: places)
  }

  public func verify(_ token: UnsafeRawBufferPointer) throws(TokenFailure) -> Caller {
    let time = now()
    let place = place(of: token)
    if let caller = remembered(token, at: place) {
      guard time < caller.expiresAt + JWT.leeway else { throw .expired }
      return caller
    }
    let caller = try JWT.verify(token, with: key, now: time)
    entries[place] = Entry(token: [UInt8](token), caller: caller)
    return caller
  }

  private func place(of token: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: token)
    return hasher.finalize() & (entries.count - 1)
  }

  /// Compared in constant time: the entry is a secret of somebody else's.
  private func remembered(_ token: UnsafeRawBufferPointer, at place: Int) -> Caller? {
    guard let entry = entries[place], entry.token.count == token.count,
      CRYPTO_memcmp(entry.token, token.baseAddress, token.count) == 0
    else { return nil }
    return entry.caller
  }
}
