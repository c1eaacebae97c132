import COpenSSL
import Glibc

/// Checks access tokens on the loop, and remembers those that it has checked: a client sends the same one
/// with each request, and a signature and two JSON objects are much work for each.
///
/// The memory has a fixed number of places, chosen by a seeded hash of the token; a newer token takes the
/// place of an older. An entry is the whole token, and lives no longer than it. What is remembered was not revoked:
/// a revocation takes the user's entries out.
public final class TokenVerifier {
  private struct Entry {
    let token: [UInt8]
    let caller: Caller
  }

  private let key: SigningKey
  private let now: () -> Int64
  private var revocations: Revocations
  private var entries: [Entry?]

  /// - Parameters:
  ///   - revocations: those of the time before.
  ///   - places: how many tokens are remembered, a power of two.
  ///   - now: the wall clock, Unix seconds.
  init(
    key: SigningKey, revocations: Revocations = Revocations(), places: Int = 1024,
    now: @escaping () -> Int64 = { Int64(time(nil)) }
  ) {
    precondition(places > 0 && places & (places - 1) == 0)
    self.key = key
    self.revocations = revocations
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
    let valid = try JWT.verify(token, with: key, now: time)
    let caller = valid.caller.session == 0 ? Self.onItsOwn(valid.caller, token) : valid.caller
    guard !revocations.cover(caller, version: valid.version) else { throw .revoked }
    entries[place] = Entry(token: [UInt8](token), caller: caller)
    return caller
  }

  /// A session has ended; `until`: Unix seconds to which its tokens would have lived.
  func end(session: Int64, of user: Int64, until: Int64) {
    revocations.end(session: session, until: until, now: now())
    forget(user)
  }

  /// A user's tokens of earlier versions are dead.
  func revoke(_ user: Int64, below version: Int64) {
    revocations.revoke(user, below: version)
    forget(user)
  }

  private func forget(_ user: Int64) {
    for place in entries.indices where entries[place]?.caller.user == user { entries[place] = nil }
  }

  /// The session of a token that names none: a digest of the part that is signed, for the signature's own bytes can be
  /// changed without making it wrong (ECDSA).
  private static func onItsOwn(_ caller: Caller, _ token: UnsafeRawBufferPointer) -> Caller {
    var digest = [UInt8](repeating: 0, count: 32)
    let signed = token.lastIndex(of: UInt8(ascii: ".")) ?? token.count
    SHA256(token.baseAddress?.assumingMemoryBound(to: UInt8.self), signed, &digest)
    let bits = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Caller(
      user: caller.user, role: caller.role, expiresAt: caller.expiresAt,
      session: Int64(bitPattern: bits | 1 << 63))
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
