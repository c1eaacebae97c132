/// The lists that a part of the ring's events have as their audience, each once: whether a user is in one is looked up once for
/// all events that have it.
struct MemberLists {
  private var lists: [MemberList] = []
  private var places: [ObjectIdentifier: Int32] = [:]

  subscript(place: Int32) -> MemberList { lists[Int(place)] }

  mutating func place(of list: MemberList) -> Int32 {
    // The list is kept, so no other gets its identity.
    if let place = places[ObjectIdentifier(list)] { return place }
    let place = Int32(lists.count)
    lists.append(list)
    places[ObjectIdentifier(list)] = place
    return place
  }

  /// Of each list, whether the user is in it.
  func membership(of user: Int64) -> [Bool] { lists.map { $0.contains(user) } }
}
