import Glibc

/// What one non-blocking read or write did.
enum IOResult {
  case bytes(Int)
  /// The kernel has nothing, or takes nothing, now (EAGAIN).
  case wouldBlock
  /// End of stream (read only).
  case ended
  case failed(Int32)
}

/// Non-blocking calls on a socket. EINTR is retried: a signal is never an error here.
enum SocketIO {
  @inline(__always)
  static func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    while true { if let result = readOnce(fd, into: buffer) { return result } }
  }

  @inline(__always)
  static func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
    while true { if let result = writeOnce(fd, bytes) { return result } }
  }

  /// nil for EINTR: nothing has happened.
  @inline(__always)
  static func readOnce(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult? {
    let count = recv(fd, buffer.baseAddress, buffer.count, 0)
    if count > 0 { return .bytes(count) }
    return count == 0 ? .ended : failure()
  }

  /// nil for EINTR: nothing has happened.
  @inline(__always)
  static func writeOnce(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult? {
    // MSG_NOSIGNAL: a peer that has gone is an error code, not SIGPIPE.
    let count = send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    return count >= 0 ? .bytes(count) : failure()
  }

  private static func failure() -> IOResult? {
    switch errno {
    case EINTR: nil
    case EAGAIN: .wouldBlock
    case let number: .failed(number)
    }
  }

  /// Sends FIN; what the peer still sends can be read on.
  static func shutdownWrite(_ fd: Int32) { shutdown(fd, Int32(SHUT_WR)) }

  static func close(_ fd: Int32) { Glibc.close(fd) }

  /// Lets `close` send a reset instead of FIN.
  static func resetOnClose(_ fd: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }
}
