/// The connection's socket, through its transport if it has one.
extension Connection {
  @inline(__always)
  func readSocket(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    guard let transport else { return SocketIO.read(fd, into: buffer) }
    return transport.read(fd, into: buffer)
  }

  @inline(__always)
  func writeSocket(_ bytes: UnsafeRawBufferPointer) -> IOResult {
    guard let transport else { return SocketIO.write(fd, bytes) }
    return transport.write(fd, bytes)
  }

  func shutdownSocket() {
    guard let transport else { return SocketIO.shutdownWrite(fd) }
    transport.shutdownWrite(fd)
  }

  func resetSocketOnClose() {
    guard let transport else { return SocketIO.resetOnClose(fd) }
    transport.resetOnClose(fd)
  }

  func closeSocket() {
    guard let transport else { return SocketIO.close(fd) }
    transport.close(fd)
    layers = nil
  }
}
