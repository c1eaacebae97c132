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
    while true {
      let count = recv(fd, buffer.baseAddress, buffer.count, 0)
      if count > 0 { return .bytes(count) }
      if count == 0 { return .ended }
      if errno == EINTR { continue }
      return errno == EAGAIN ? .wouldBlock : .failed(errno)
    }
  }

  @inline(__always)
  static func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
    while true {
      // MSG_NOSIGNAL: a peer that has gone is an error code, not SIGPIPE.
      let count = send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if count >= 0 { return .bytes(count) }
      if errno == EINTR { continue }
      return errno == EAGAIN ? .wouldBlock : .failed(errno)
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
