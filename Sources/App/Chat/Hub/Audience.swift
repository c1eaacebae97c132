/// Who sees an event of the store.
struct Audience {
  enum Reach: UInt8 {
    case everybody
    /// The own user's sessions alone, if it is a member.
    case own
    /// The members without the own user.
    case others
  }

  let members: MemberList
  /// The user for whom the event may say more; -1 for none.
  var own: Int64 = -1
  var reach = Reach.everybody

  func includes(_ user: Int64) -> Bool {
    guard members.contains(user) else { return false }
    return switch reach {
    case .everybody: true
    case .own: user == own
    case .others: user != own
    }
  }
}
