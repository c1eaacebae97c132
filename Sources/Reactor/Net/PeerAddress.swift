import Glibc

/// The IP address at the other end of a connection, for limits by address. IPv4 and IPv4-mapped IPv6 (RFC 4291
/// §2.5.5.2), which a socket for both families reports, are one address here.
public struct PeerAddress: Sendable, Hashable {
  /// The 16 bytes of the IPv6 form as two numbers, the first byte highest.
  private let high: UInt64
  private let low: UInt64

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  init(_ address: in_addr) {
    self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: address.s_addr)))
  }

  init(_ address: in6_addr) {
    let (high, low) = withUnsafeBytes(of: address) { bytes in
      (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  }

  /// Nil if the peer has gone already, or the socket is of another family.
  init?(ofPeer socket: Int32) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutableBytes(of: &storage) {
      getpeername(socket, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
    }
    guard result == 0 else { return nil }
    self.init(storage)
  }

  private init?(_ storage: sockaddr_storage) {
    switch Int32(storage.ss_family) {
    case AF_INET: self.init(withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in.self).sin_addr })
    case AF_INET6: self.init(withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in6.self).sin6_addr })
    default: return nil
    }
  }

  public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// What a limit should count by: an IPv4 address itself, and the /64 of an IPv6 one, since a single customer has
  /// at least so many addresses (RFC 6177 §2).
  public var network: PeerAddress { isIPv4 ? self : PeerAddress(high: high, low: 0) }
}

extension PeerAddress: CustomStringConvertible {
  /// `192.0.2.1` or `2001:db8::1` (RFC 5952).
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let room = socklen_t(text.count)
    if isIPv4 {
      var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
      inet_ntop(AF_INET, &address, &text, room)
    } else {
      var address = (high.bigEndian, low.bigEndian)
      inet_ntop(AF_INET6, &address, &text, room)
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension RequestView {
  /// The peer's address, asked of the kernel at each call: a connection keeps no copy. Behind a proxy it is the proxy's.
  /// Nil if the peer has gone already.
  public var peerAddress: PeerAddress? { PeerAddress(ofPeer: socket) }
}
