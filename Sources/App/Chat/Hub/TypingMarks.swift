import DequeModule

/// Who is writing where. A mark lives a few seconds, and ends with its user's message.
struct TypingMarks {
  /// Milliseconds.
  static let life: UInt64 = 6_000
  /// More than this many are not kept: they are not worth the memory.
  private static let most = 100_000

  struct Mark: Hashable {
    let user: Int64
    let conversation: Int64
  }

  private var ends: [Mark: UInt64] = [:]
  /// In the order of their time; one that was renewed stands there again.
  private var queue: Deque<(mark: Mark, end: UInt64)> = []

  /// Sets or renews a mark; false if it cannot be kept.
  mutating func set(_ mark: Mark, now: UInt64) -> Bool {
    guard queue.count < Self.most else { return false }
    let end = now + Self.life
    ends[mark] = end
    queue.append((mark, end))
    return true
  }

  /// Takes a mark away; false if there is none.
  mutating func end(_ mark: Mark) -> Bool {
    if ends.isEmpty { return false }
    return ends.removeValue(forKey: mark) != nil
  }

  /// Takes away those whose time has come.
  mutating func expired(now: UInt64) -> [Mark] {
    var gone: [Mark] = []
    while let (mark, end) = queue.first, end <= now {
      queue.removeFirst()
      guard ends[mark] == end else { continue }
      ends[mark] = nil
      gone.append(mark)
    }
    return gone
  }

  /// When the next one may end; nil if there is none.
  var next: UInt64? { queue.first?.end }
}
