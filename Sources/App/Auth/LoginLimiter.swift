import Glibc
import Reactor
import Synchronization

/// Slows down whoever guesses: failed attempts are limited for each name, known or not, and for each address.
///
/// It is asked twice. On the loop, so that who is over the limit costs nothing; and on the cpu thread before each hash,
/// where the outcome of every attempt before is known, so that many at once are no way around the limit, and many that
/// succeed at once are none too many.
final class LoginLimiter: Sendable {
  private struct State {
    var names = AttemptBuckets(burst: 10, interval: 30_000)
    var addresses = AttemptBuckets(burst: 50, interval: 2_000)
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> UInt64

  /// - Parameter now: milliseconds of a clock that never goes back.
  init(now: @escaping @Sendable () -> UInt64 = LoginLimiter.uptime) { self.now = now }

  /// - Throws: `rate-limited` with the time to wait.
  func check(_ attempt: LoginAttempt) throws(Problem) {
    let now = now()
    let wait = state.withLock { state in
      max(
        attempt.name.map { state.names.wait($0, now: now) } ?? 0,
        attempt.address.map { state.addresses.wait($0, now: now) } ?? 0)
    }
    guard wait == 0 else {
      throw Problem(
        .rateLimited, detail: "There were too many failed attempts.",
        retryAfterMilliseconds: Int(clamping: wait))
    }
  }

  func countFailure(_ attempt: LoginAttempt) {
    let now = now()
    state.withLock { state in
      if let name = attempt.name { state.names.take(name, now: now) }
      if let address = attempt.address { state.addresses.take(address, now: now) }
    }
  }

  /// Milliseconds since the machine started.
  static func uptime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
  }
}

/// Whose name is tried, and from where. Seeded hashes stand for both: a name can be as long as a body.
struct LoginAttempt: Sendable {
  let name: Int?
  let address: Int?

  init(name: String?, address: PeerAddress?) {
    self.name = name.map { Username.fold($0).hashValue }
    self.address = address?.network.hashValue
  }
}

/// Refuses requests from an address that is over its limit, before their bodies are read. The address becomes the
/// request's context.
enum LoginGate {
  static func make(_ limiter: LoginLimiter?) -> Gate {
    { request in
      let address = request.peerAddress
      do throws(Problem) {
        try limiter?.check(LoginAttempt(name: nil, address: address))
        return .pass(address)
      } catch {
        return .refuse(error.response)
      }
    }
  }
}

extension Request {
  /// An attempt from the address that `LoginGate` found.
  func attempt(_ name: String? = nil) -> LoginAttempt {
    LoginAttempt(name: name, address: context as? PeerAddress)
  }
}

extension Services {
  /// Checks a password on the cpu thread, within the limits of failed attempts. Blocks nobody else.
  /// - Parameter credentials: whose password it should be; nil for nobody's.
  /// - Returns: false too if the user is disabled.
  /// - Throws: `rate-limited`.
  func verify(
    _ password: String, of credentials: UserStore.Credentials?, _ attempt: LoginAttempt
  ) async throws -> Bool {
    let (limiter, passwords) = (limiter, passwords)
    return try await cpu.run {
      try limiter?.check(attempt)
      let isPassword = try passwords.verify(password, against: credentials?.passwordHash)
      let isRight = isPassword && credentials?.user.disabled == false
      if !isRight { limiter?.countFailure(attempt) }
      return isRight
    }
  }
}
