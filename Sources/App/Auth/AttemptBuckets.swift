/// Token buckets by key, each one number: the time when it will be full again (GCRA). A bucket that is full need not be
/// kept, so memory follows the attempts of late, and never passes the limit.
struct AttemptBuckets {
  /// Attempts at once.
  let burst: UInt64
  /// Milliseconds until one comes back.
  let interval: UInt64
  var limit = 10_000

  private var fullAt: [Int: UInt64] = [:]

  init(burst: UInt64, interval: UInt64) {
    self.burst = burst
    self.interval = interval
  }

  var count: Int { fullAt.count }

  /// Milliseconds until an attempt may be made; 0 if it may be made now.
  func wait(_ key: Int, now: UInt64) -> UInt64 {
    let next = max(fullAt[key] ?? 0, now) + interval
    let latest = now + burst * interval
    return next > latest ? next - latest : 0
  }

  mutating func take(_ key: Int, now: UInt64) {
    if fullAt[key] == nil && fullAt.count >= limit { makeRoom(now) }
    fullAt[key] = max(fullAt[key] ?? 0, now) + interval
  }

  /// Drops those that are full; if that is not a quarter, also those that are nearest to it.
  private mutating func makeRoom(_ now: UInt64) {
    fullAt = fullAt.filter { $0.value > now }
    let most = limit * 3 / 4
    guard fullAt.count > most else { return }
    fullAt = Dictionary(
      uniqueKeysWithValues: fullAt.sorted { $0.value > $1.value }.prefix(most).map { ($0.key, $0.value) })
  }
}
