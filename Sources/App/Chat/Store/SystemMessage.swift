import Reactor

/// A message that the server itself has stored.
struct SystemMessage: Sendable {
  enum Kind: Int64, Sendable {
    case alert = 1
    case system = 2
  }

  let kind: Kind
  let conversation: Int64
  let seq: Int64
  let position: Int64
  let sender: Int64
  /// Milliseconds of Unix time.
  let timestamp: Int64
  let text: String
  let members: MemberList
}

/// The kinds of messages as the store numbers them and as clients read them.
enum MessageKind {
  static func name(_ number: Int64) -> StaticString {
    switch number {
    case SystemMessage.Kind.alert.rawValue: "alert"
    case SystemMessage.Kind.system.rawValue: "system"
    default: "text"
    }
  }
}
