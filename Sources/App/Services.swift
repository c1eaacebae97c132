import Reactor

/// What handlers work with, given to each group of routes.
struct Services: Sendable {
  let store: Store
  let writer: Writer
  /// Threads for short reads of the store.
  let readers: WorkerQueue
  /// One thread for password hashing. Its queue is short: a hash takes some tenths of a second.
  let cpu: WorkerQueue
  let passwords: PasswordHasher
  let tokens: TokenIssuer
  let refreshTokens: RefreshTokens
  /// nil with `--rate-limit off`.
  var limiter: LoginLimiter?
}
