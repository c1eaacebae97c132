import CTimer
import Glibc
import Reactor

/// Calls at times that the callee chooses, to some microseconds: the loop's own timers tick every 16 ms.
final class Pace: EventSource {
  private let timer: Int32
  /// Does what is due, and returns when it wants to be called next; nil for never again.
  private let step: () -> UInt64?

  init(_ step: @escaping () -> UInt64?) throws {
    timer = timer_open()
    self.step = step
    super.init()
    if timer < 0 { throw Failure("no timer: \(String(cString: strerror(errno)))") }
  }

  /// Call n is due n/rate seconds after the start, whatever became of those before it; `send` is given its due time.
  convenience init(perSecond rate: Double, until end: UInt64, send: @escaping (UInt64) -> Void) throws {
    let start = Clock.now
    var next = 0
    let time = { start + UInt64(Double(next) * 1e9 / rate) }
    try self.init {
      let now = Clock.now
      while time() <= min(now, end) {
        send(time())
        next += 1
      }
      return time() <= end ? time() : nil
    }
  }

  deinit { close(timer) }

  func start(on loop: EventLoop) throws {
    try loop.add(self, fd: timer, for: .readable)
    timer_set(timer, Clock.now)
  }

  override func ready(_ readiness: Readiness) {
    timer_take(timer)
    if let next = step() { timer_set(timer, next) }
  }
}
