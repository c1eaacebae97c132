/// The devices that were looked at lately. Belongs to the loop.
///
/// The number of places is fixed, and a device's place is its id's remainder: a newer device takes the place of an older.
struct DeviceCache {
  private struct Place {
    var device: CachedDevice?
    /// Grows with each change of a device that has this place.
    var generation: UInt32 = 0
  }

  private var places: [Place]

  /// - Parameter count: a power of two.
  init(places count: Int = 16_384) {
    precondition(count > 0 && count & (count - 1) == 0)
    places = Array(repeating: Place(), count: count)
  }

  func find(_ id: Int64) -> CachedDevice? {
    guard let device = places[place(of: id)].device, device.id == id else { return nil }
    return device
  }

  /// To be asked before the store is, and given to `keep` with what the store said.
  func generation(of id: Int64) -> UInt32 { places[place(of: id)].generation }

  /// Keeps a device as the store had it, unless it may have changed since it was asked for.
  mutating func keep(_ device: CachedDevice, askedAt generation: UInt32) {
    let place = place(of: device.id)
    guard places[place].generation == generation else { return }
    places[place].device = device
  }

  mutating func forget(_ id: Int64) {
    let place = place(of: id)
    places[place].generation &+= 1
    places[place].device = nil
  }

  private func place(of id: Int64) -> Int { Int(truncatingIfNeeded: id) & (places.count - 1) }
}
