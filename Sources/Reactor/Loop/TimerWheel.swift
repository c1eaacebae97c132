/// Deadlines, in four wheels of 64 buckets: setting, moving and cancelling one costs the same however many there are.
///
/// Time is counted in ticks of `millisecondsPerTick`. Wheel 0 holds what is due in the next 64 ticks, one bucket a tick;
/// wheel 1 what is due in the next 64², one bucket for 64 ticks; and so on. When time enters a bucket of a higher wheel, its
/// timers move down ("cascade"). One bit a bucket says whether it holds anything, so time skips what is empty.
struct TimerWheel {
  static let none: Int32 = -1
  static let millisecondsPerTick: UInt64 = 16

  private struct Node {
    var owner: SourceID
    var deadline: UInt32
    var next: Int32
    var previous: Int32
    var bucket: UInt16
  }

  private var nodes: [Node] = []
  private var firstFree = none
  private var heads = [Int32](repeating: none, count: 4 * 64)
  private var occupied: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  /// Everything due at or before this tick has fired.
  private(set) var current: UInt32 = 0
  private(set) var count = 0

  static func ticks(_ milliseconds: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (milliseconds + millisecondsPerTick - 1) / millisecondsPerTick)
  }

  /// Sets a timer; a deadline that has passed fires at the next tick.
  mutating func set(owner: SourceID, deadline: UInt32) -> Int32 {
    let index = takeNode()
    nodes[Int(index)].owner = owner
    nodes[Int(index)].deadline = max(deadline, current &+ 1)
    link(index)
    count += 1
    return index
  }

  mutating func cancel(_ index: Int32) {
    unlink(index)
    free(index)
  }

  func deadline(of index: Int32) -> UInt32 { nodes[Int(index)].deadline }

  /// The tick at which there is work next: a timer, or a bucket of a higher wheel to be moved down.
  var nextDue: UInt32? {
    var soonest: UInt32?
    for level in 0..<4 where mask(level) != 0 {
      let shift = UInt32(6 * level)
      let position = current >> shift
      // Bits after the current bucket come first, then those that time reaches after the wheel's end.
      let here = Int(position & 63)
      let rotated = rotate(mask(level), by: (here + 1) & 63)
      let distance = UInt32(rotated.trailingZeroBitCount) + 1
      let due = (position &+ distance) << shift
      soonest = min(soonest ?? due, due)
    }
    return soonest
  }

  /// Moves time on and gives each timer that is due to `fire`, which may set and cancel timers.
  mutating func expire(at tick: UInt32, into due: inout [SourceID]) {
    while let next = nextDue, next <= tick {
      current = next
      for level in stride(from: 3, through: 1, by: -1) where current & ((1 << UInt32(6 * level)) - 1) == 0 {
        cascade(bucket: level << 6 | Int(current >> UInt32(6 * level) & 63))
      }
      takeDue(bucket: Int(current & 63), into: &due)
    }
    current = max(current, tick)
  }

  private mutating func takeDue(bucket: Int, into due: inout [SourceID]) {
    while heads[bucket] != Self.none {
      let index = heads[bucket]
      due.append(nodes[Int(index)].owner)
      unlink(index)
      free(index)
    }
  }

  private mutating func cascade(bucket: Int) {
    var index = heads[bucket]
    heads[bucket] = Self.none
    setMask(bucket >> 6, mask(bucket >> 6) & ~(1 << UInt64(bucket & 63)))
    while index != Self.none {
      let next = nodes[Int(index)].next
      link(index)
      index = next
    }
  }

  private mutating func link(_ index: Int32) {
    let deadline = nodes[Int(index)].deadline
    let distance = deadline &- current
    let level = distance < 1 << 6 ? 0 : distance < 1 << 12 ? 1 : distance < 1 << 18 ? 2 : 3
    // Beyond the last wheel (12 days): its farthest bucket, from where it is placed anew.
    let reach = level == 3 ? min(deadline, current &+ (63 << 18)) : deadline
    let bucket = level << 6 | Int(reach >> UInt32(6 * level) & 63)
    nodes[Int(index)].bucket = UInt16(bucket)
    nodes[Int(index)].previous = Self.none
    nodes[Int(index)].next = heads[bucket]
    if heads[bucket] != Self.none { nodes[Int(heads[bucket])].previous = index }
    heads[bucket] = index
    setMask(level, mask(level) | 1 << UInt64(bucket & 63))
  }

  private mutating func unlink(_ index: Int32) {
    let node = nodes[Int(index)]
    let bucket = Int(node.bucket)
    if node.previous == Self.none {
      heads[bucket] = node.next
      if node.next == Self.none { setMask(bucket >> 6, mask(bucket >> 6) & ~(1 << UInt64(bucket & 63))) }
    } else {
      nodes[Int(node.previous)].next = node.next
    }
    if node.next != Self.none { nodes[Int(node.next)].previous = node.previous }
  }

  private mutating func takeNode() -> Int32 {
    if firstFree != Self.none {
      let index = firstFree
      firstFree = nodes[Int(index)].next
      return index
    }
    nodes.append(
      Node(owner: SourceID(raw: .max), deadline: 0, next: Self.none, previous: Self.none, bucket: 0))
    return Int32(nodes.count - 1)
  }

  private mutating func free(_ index: Int32) {
    nodes[Int(index)].next = firstFree
    firstFree = index
    count -= 1
  }

  private func mask(_ level: Int) -> UInt64 {
    switch level {
    case 0: occupied.0
    case 1: occupied.1
    case 2: occupied.2
    default: occupied.3
    }
  }

  private mutating func setMask(_ level: Int, _ value: UInt64) {
    switch level {
    case 0: occupied.0 = value
    case 1: occupied.1 = value
    case 2: occupied.2 = value
    default: occupied.3 = value
    }
  }

  private func rotate(_ bits: UInt64, by count: Int) -> UInt64 {
    count == 0 ? bits : bits >> UInt64(count) | bits << UInt64(64 - count)
  }
}
