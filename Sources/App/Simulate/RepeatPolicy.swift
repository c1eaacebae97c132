import Reactor

/// Whether a request is sent again. Each carries an `Idempotency-Key`, so each may be (RFC 9110 §9.2.2): whether the
/// server has acted on it or not, it has its effect once.
enum RepeatPolicy {
  enum Decision: Equatable {
    /// There is an answer, good or bad, that another attempt would not change.
    case take
    /// After so many milliseconds.
    case again(UInt64)
    case giveUp
  }

  /// From the first attempt to the last, in milliseconds.
  static let patience: UInt64 = 60_000
  private static let firstPause = 100.0
  private static let longestPause = 5000.0

  /// - Parameters:
  ///   - attempt: how many there were before, 0 after the first.
  ///   - elapsed: since the first, in milliseconds.
  ///   - chance: 0 to 1. Many clients that lost one server must not come back at one moment.
  static func decide(
    _ status: Status, retryAfter: String?, attempt: Int, elapsed: UInt64, chance: Double
  ) -> Decision {
    guard [408, 429, 502, 503, 504].contains(status.rawValue) else { return .take }
    // RFC 9110 §10.2.3. A date would need the server's clock; our own pauses do as well.
    let asked = retryAfter.flatMap { unsigned($0, as: UInt64.self) } ?? 0
    guard asked <= patience / 1000 else { return .giveUp }
    return pause(atLeast: asked * 1000, attempt, elapsed, chance)
  }

  static func decide(
    _ error: HTTPClientError, attempt: Int, elapsed: UInt64, chance: Double
  ) -> Decision {
    switch error {
    case .cannotConnect, .connectionClosed, .timedOut: pause(atLeast: 0, attempt, elapsed, chance)
    case .invalidRequest, .busy, .invalidResponse, .cancelled: .giveUp
    }
  }

  private static func pause(
    atLeast asked: UInt64, _ attempt: Int, _ elapsed: UInt64, _ chance: Double
  ) -> Decision {
    // Beyond 2^6 it is the longest anyway.
    let grown = min(longestPause, firstPause * Double(1 << min(attempt, 6)))
    let pause = asked + UInt64(grown * (0.5 + 0.5 * chance))
    return elapsed + pause <= patience ? .again(pause) : .giveUp
  }
}
