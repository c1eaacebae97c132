import CLinux
import Glibc

/// A listening socket. Level-triggered: what one tick's burst leaves in the kernel's queue is told again.
final class Listener: EventSource {
  private let fd: Int32
  private let burst: Int
  private let accepted: (Int32) -> Void
  /// A descriptor held back, so that with none left a connection can still be taken and closed: otherwise it would stay
  /// in the queue, and the listener ready, for ever.
  private var spare = open("/dev/null", O_RDONLY | O_CLOEXEC)

  init(
    host: String, port: UInt16, backlog: Int, burst: Int, accepted: @escaping (Int32) -> Void
  ) throws(SystemError) {
    fd = linux_listen(host, String(port), Int32(backlog))
    self.burst = burst
    self.accepted = accepted
    super.init()
    if fd < 0 { throw SystemError("listen on \(host):\(port)") }
  }

  deinit {
    if fd >= 0 { close(fd) }
    if spare >= 0 { close(spare) }
  }

  func start(on loop: EventLoop) throws(SystemError) { try loop.add(self, fd: fd, for: .readable) }

  var port: UInt16 { UInt16(linux_local_port(fd)) }

  override func ready(_ readiness: Readiness) {
    for _ in 0..<burst {
      let connection = linux_accept(fd)
      if connection >= 0 {
        accepted(connection)
      } else if errno == EMFILE || errno == ENFILE {
        refuseOne()
      } else if errno != EINTR && errno != ECONNABORTED {
        return
      }
    }
  }

  private func refuseOne() {
    close(spare)
    let connection = linux_accept(fd)
    if connection >= 0 { close(connection) }
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
  }
}
