import CLinux
import Glibc

/// Signals as events of the loop (signalfd). Make it before any thread is started: all inherit the blocked mask.
public final class SignalSource: EventSource {
  private let fd: Int32
  private let received: (Int32) -> Void

  /// - Parameter received: is given SIGTERM, SIGINT and SIGHUP by number, on the loop.
  public init(_ received: @escaping (Int32) -> Void) throws(SystemError) {
    fd = linux_signalfd()
    self.received = received
    super.init()
    if fd < 0 { throw SystemError("signalfd") }
  }

  deinit { close(fd) }

  public func start(on loop: EventLoop) throws(SystemError) { try loop.add(self, fd: fd, for: .readable) }

  public override func ready(_ readiness: Readiness) {
    while case let signal = linux_signalfd_take(fd), signal != 0 { received(signal) }
  }
}
