import GRDB
import Reactor

/// A user as the loop shows it: all of it to itself and to administrators, the profile to everybody else.
final class ShownUser: ShownObject {
  let id: Int64
  private let full: ReadyAnswer
  private let profile: ReadyAnswer

  init(_ user: User) throws {
    id = user.id
    full = try ReadyAnswer(User.Full(user: user))
    profile = try ReadyAnswer(User.Profile(user))
  }

  static func find(_ id: Int64, in db: Database) throws -> ShownUser? {
    try UserStore.find(id, in: db).map(ShownUser.init)
  }

  func answer(for caller: Caller) -> ReadyAnswer? {
    caller.role == .admin || caller.user == id ? full : profile
  }
}

extension ObjectView<ShownUser> {
  /// The caller itself.
  func me(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    guard let caller = request.context as? Caller else { return Problem(.unauthorized).response }
    return get(caller.user, request, responder)
  }
}
