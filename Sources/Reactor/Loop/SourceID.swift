/// The one identity of what the loop serves, in epoll's data, in timers and in what workers send back.
///
/// A slot is used again after its source has gone, with the next generation: an event that was on its way to the old
/// source finds that the generations differ, and is dropped.
public struct SourceID: Hashable, Sendable {
  public let raw: UInt64

  init(raw: UInt64) { self.raw = raw }
  init(slot: UInt32, generation: UInt32) { raw = UInt64(generation) << 32 | UInt64(slot) }

  /// The place in tables that run in parallel to the loop's; small and dense.
  public var slot: Int { Int(raw & 0xFFFF_FFFF) }
  var generation: UInt32 { UInt32(raw >> 32) }
}
