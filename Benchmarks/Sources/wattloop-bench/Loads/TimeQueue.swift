/// Times in the order in which they were added: of what is under way on one connection, where answers come in order.
struct TimeQueue {
  private var times: [UInt64]
  private var first = 0
  private(set) var count = 0

  init(capacity: Int) { times = Array(repeating: 0, count: max(1, capacity)) }

  mutating func append(_ time: UInt64) {
    if count == times.count { grow() }
    times[index(count)] = time
    count += 1
  }

  mutating func popFirst() -> UInt64? {
    guard count > 0 else { return nil }
    let time = times[first]
    first = index(1)
    count -= 1
    return time
  }

  private func index(_ offset: Int) -> Int {
    let place = first + offset
    return place < times.count ? place : place - times.count
  }

  private mutating func grow() {
    let kept = times.count
    times = (0..<2 * kept).map { $0 < kept ? times[index($0)] : 0 }
    first = 0
  }
}
