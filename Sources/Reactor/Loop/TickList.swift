/// What is gathered in a tick and used up at its end. It has one owner and is never copied, so an addition costs no look at whether
/// it is shared, which an array's does.
struct TickList<Element: BitwiseCopyable>: ~Copyable {
  /// What stays from tick to tick; the storage of a larger one is given back.
  private static var keptCapacity: Int { 65_536 }

  private(set) var count = 0
  private var capacity = 0
  private var elements: UnsafeMutablePointer<Element>?

  deinit { elements?.deallocate() }

  @inline(__always)
  subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count)
      return elements.unsafelyUnwrapped[index]
    }
    set {
      precondition(index >= 0 && index < count)
      elements.unsafelyUnwrapped[index] = newValue
    }
  }

  /// The next addition takes no memory.
  @inline(__always)
  var hasRoom: Bool { count < capacity }

  @inline(__always)
  mutating func append(_ element: Element) {
    makeRoom()
    appendInRoom(element)
  }

  @inline(__always)
  mutating func makeRoom() {
    if !hasRoom { grow() }
  }

  @inline(__always)
  mutating func appendInRoom(_ element: Element) {
    precondition(hasRoom)
    (elements.unsafelyUnwrapped + count).initialize(to: element)
    count &+= 1
  }

  mutating func removeAll() {
    count = 0
    if capacity > Self.keptCapacity { move(to: 0) }
  }

  private mutating func grow() { move(to: max(64, 2 * capacity)) }

  private mutating func move(to newCapacity: Int) {
    let old = elements
    elements = newCapacity == 0 ? nil : .allocate(capacity: newCapacity)
    capacity = newCapacity
    if let old, let elements { elements.initialize(from: old, count: count) }
    old?.deallocate()
  }
}
