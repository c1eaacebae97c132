/// The objects of a kind that were looked at lately. Belongs to the loop.
///
/// The number of places is fixed, and an object's place is its id's remainder: a newer one takes the place of an older.
struct ObjectCache<Object: ShownObject> {
  private struct Place {
    var object: Object?
    /// Grows with each change of an object that has this place.
    var generation: UInt32 = 0
  }

  private var places: [Place]

  /// - Parameter count: a power of two.
  init(places count: Int = 16_384) {
    precondition(count > 0 && count & (count - 1) == 0)
    places = Array(repeating: Place(), count: count)
  }

  func find(_ id: Int64) -> Object? {
    guard let object = places[place(of: id)].object, object.id == id else { return nil }
    return object
  }

  /// To be asked before the store is, and given to `keep` with what the store said.
  func generation(of id: Int64) -> UInt32 { places[place(of: id)].generation }

  /// Keeps an object as the store had it, unless it may have changed since it was asked for.
  mutating func keep(_ object: Object, askedAt generation: UInt32) {
    let place = place(of: object.id)
    guard places[place].generation == generation else { return }
    places[place].object = object
  }

  mutating func forget(_ id: Int64) {
    let place = place(of: id)
    places[place].generation &+= 1
    places[place].object = nil
  }

  private func place(of id: Int64) -> Int { Int(truncatingIfNeeded: id) & (places.count - 1) }
}
