import COpenSSL
import Glibc

/// What TLS connections have in common: the certificate, and the key of the tickets with which clients come back without a
/// full handshake (RFC 5077, RFC 8446 §4.6.1).
///
/// Belongs to the loop. A connection keeps what it began with, so a new certificate disturbs nobody.
public final class TLSContext {
  /// Of the key for tickets. Who gets hold of it can read the sessions that it resumed.
  private static let ticketKeyLife: UInt64 = 12 * 3_600_000

  let socket = TLSSocket()
  /// Makes the answer to a request that comes without TLS.
  var plainAnswer: () -> [UInt8] = { [] }
  /// For connections to come. Tickets stay valid when it changes.
  public var certificate: TLSCertificate {
    didSet { if !ticketKeys.isEmpty { certificate.setTicketKeys(ticketKeys) } }
  }
  private var ticketKeys: [UInt8] = []
  private var ticketKeysEnd: UInt64 = 0

  public init(_ certificate: TLSCertificate) { self.certificate = certificate }

  /// A session for a new connection; nil if there is no memory.
  func makeSession(now: UInt64) -> OpaquePointer? {
    if now >= ticketKeysEnd { renewTicketKeys(now) }
    return certificate.makeSession()
  }

  private func renewTicketKeys(_ now: UInt64) {
    var keys = [UInt8](repeating: 0, count: 80)
    guard RAND_bytes(&keys, 80) == 1 else { return }
    ticketKeys = keys
    ticketKeysEnd = now + Self.ticketKeyLife
    certificate.setTicketKeys(keys)
  }
}
