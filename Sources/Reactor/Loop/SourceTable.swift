/// All sources of a loop by slot. It keeps them alive; a retired one is released at the end of the tick, so that a
/// source may go in the middle of its own handler.
struct SourceTable {
  private struct Slot {
    var source: Unmanaged<EventSource>?
    var generation: UInt32
    var nextFree: UInt32
  }

  private static let end = UInt32.max
  private var slots: [Slot] = []
  private var firstFree = end
  private var retired: [Unmanaged<EventSource>] = []
  private(set) var count = 0

  mutating func insert(_ source: EventSource) -> SourceID {
    count += 1
    let kept = Unmanaged.passRetained(source)
    if firstFree == Self.end {
      slots.append(Slot(source: kept, generation: 1, nextFree: Self.end))
      return SourceID(slot: UInt32(slots.count - 1), generation: 1)
    }
    let slot = firstFree
    firstFree = slots[Int(slot)].nextFree
    slots[Int(slot)].source = kept
    return SourceID(slot: slot, generation: slots[Int(slot)].generation)
  }

  /// The source of that identity; nil if it has gone.
  subscript(id: SourceID) -> EventSource? { unmanaged(id)?.takeUnretainedValue() }

  /// The same without a reference of the caller's, for a call of an instant: two atomic operations less.
  @inline(__always)
  func unmanaged(_ id: SourceID) -> Unmanaged<EventSource>? {
    guard id.slot < slots.count, slots[id.slot].generation == id.generation else { return nil }
    return slots[id.slot].source
  }

  /// Ends the identity now; the object lives until `releaseRetired`.
  mutating func retire(_ id: SourceID) {
    guard id.slot < slots.count, slots[id.slot].generation == id.generation else { return }
    guard let source = slots[id.slot].source else { return }
    retired.append(source)
    slots[id.slot] = Slot(source: nil, generation: id.generation &+ 1, nextFree: firstFree)
    firstFree = UInt32(id.slot)
    count -= 1
  }

  mutating func releaseRetired() {
    guard !retired.isEmpty else { return }
    for source in retired { source.release() }
    retired.removeAll(keepingCapacity: retired.count < 4096)
  }

  /// Visits all that are there now; they may be retired meanwhile.
  func forEach(_ body: (EventSource) -> Void) {
    for slot in slots { if let source = slot.source { body(source.takeUnretainedValue()) } }
  }

  /// Releases everything: for the end of the loop.
  mutating func releaseAll() {
    releaseRetired()
    for slot in slots { slot.source?.release() }
    slots = []
    count = 0
  }
}
