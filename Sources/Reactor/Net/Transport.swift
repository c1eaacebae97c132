/// What a connection's bytes go through where that is not the bare socket: TLS, or in tests a network that behaves badly.
///
/// A connection without one calls the kernel directly, and pays nothing for those that have.
class Transport {
  /// The next read computes for some time, as in a handshake: it must wait for its turn.
  var isBusy: Bool { false }
  /// Reading goes on when the socket takes bytes.
  var waitsForWritable: Bool { false }
  /// There is more to read though a read was short.
  var hasMore: Bool { false }
  /// Whether nobody between can read or change what it carries.
  var isSecure: Bool { false }

  /// Reads what there is. The socket must be registered edge-triggered: `wouldBlock` only when nothing more can be had.
  func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    SocketIO.read(fd, into: buffer)
  }

  /// Takes a part of the bytes, or none.
  func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult { SocketIO.write(fd, bytes) }

  /// Tells the peer that nothing more comes.
  func shutdownWrite(_ fd: Int32) { SocketIO.shutdownWrite(fd) }

  /// Lets `close` send a reset instead of FIN.
  func resetOnClose(_ fd: Int32) { SocketIO.resetOnClose(fd) }

  func close(_ fd: Int32) { SocketIO.close(fd) }
}
