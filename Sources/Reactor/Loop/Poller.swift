import CLinux
import Glibc

/// epoll, and the buffer that it fills.
final class Poller {
  private static let capacity = 1024
  private let epoll: Int32
  private let events = UnsafeMutablePointer<linux_event>.allocate(capacity: capacity)

  init() throws(SystemError) {
    epoll = linux_epoll_create()
    if epoll < 0 { throw SystemError("epoll_create1") }
  }

  deinit {
    close(epoll)
    events.deallocate()
  }

  func add(_ fd: Int32, as id: SourceID, for readiness: Readiness) throws(SystemError) {
    if linux_epoll_add(epoll, fd, readiness.rawValue, id.raw) != 0 { throw SystemError("epoll_ctl") }
  }

  /// Waits for events, at most that long (-1 is for ever, 0 only looks). The buffer is valid until the next wait.
  func wait(milliseconds: Int32) -> UnsafeBufferPointer<linux_event> {
    let count = linux_epoll_wait(epoll, events, Int32(Self.capacity), milliseconds)
    // EINTR is the only error that a valid epoll descriptor can give: nothing was ready.
    return UnsafeBufferPointer(start: events, count: max(0, Int(count)))
  }
}
