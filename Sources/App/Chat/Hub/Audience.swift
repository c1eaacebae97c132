/// Who sees an event of the store.
struct Audience {
  enum Reach: UInt8 {
    case everybody
    /// The own user's sessions alone.
    case own
    /// The members without the own user.
    case others
  }

  let members: MemberList
  /// The user for whom the event may say more; -1 for none.
  var own: Int64 = -1
  var reach = Reach.everybody

  func includes(_ user: Int64) -> Bool {
    switch reach {
    case .everybody: members.contains(user)
    case .own: user == own
    case .others: user != own && members.contains(user)
    }
  }
}
