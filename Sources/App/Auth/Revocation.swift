import Reactor

/// Why all of a user's access tokens died at once.
enum Revocation: Sendable {
  /// All sessions ended: another password, disabled, deleted.
  case sessionsEnded
  /// The sessions go on, with new access tokens.
  case roleChanged

  /// What the user's sockets are closed with.
  var closeCode: CloseCode {
    switch self {
    case .sessionsEnded: .tokenRevoked
    case .roleChanged: .tokenExpired
    }
  }

  var reason: String {
    switch self {
    case .sessionsEnded: "All sessions of the user have ended."
    case .roleChanged: "The role of the user has changed."
    }
  }
}
