import Glibc
import Reactor

/// Ends connections as a network does that breaks: by a reset, without a close frame.
enum Cut {
  /// All connections of this process from that IPv4 address. Their loop finds each at its end, and closes it.
  static func connections(from source: String) {
    var address = in_addr()
    inet_pton(AF_INET, source, &address)
    for socket in 0..<Int32(clamping: DescriptorLimit.raise()) where isFrom(address, socket) {
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
      shutdown(socket, Int32(SHUT_RD))
    }
  }

  private static func isFrom(_ address: in_addr, _ socket: Int32) -> Bool {
    var local = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutableBytes(of: &local) {
      getsockname(socket, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
    }
    return result == 0 && Int32(local.sin_family) == AF_INET && local.sin_addr.s_addr == address.s_addr
  }
}
