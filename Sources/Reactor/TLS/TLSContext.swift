import COpenSSL
import Glibc

/// What TLS connections have in common: the certificate with its key, the versions and ciphers, and the key of the tickets
/// with which clients come back without a full handshake (RFC 5077, RFC 8446 §4.6.1).
///
/// Belongs to the loop. A connection keeps what it began with, so a new certificate disturbs nobody.
public final class TLSContext {
  /// Of the key for tickets. Who gets hold of it can read the sessions that it resumed.
  private static let ticketKeyLife: UInt64 = 12 * 3_600_000
  /// Of a ticket, seconds.
  private static let ticketLife = 2 * 3600

  let socket: TLSSocket
  /// Makes the answer to a request that comes without TLS.
  var plainAnswer: () -> [UInt8] = { [] }
  private let certificateFile: String
  private let keyFile: String
  private var context: OpaquePointer
  private var ticketKeys: [UInt8] = []
  private var ticketKeysEnd: UInt64 = 0

  /// - Parameters:
  ///   - certificateFile: PEM, the server's certificate first and its chain behind.
  ///   - keyFile: its private key, PEM without a password.
  public init(certificateFile: String, keyFile: String) throws(TLSFailure) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    socket = TLSSocket()
    context = try Self.load(certificateFile, keyFile)
  }

  deinit { SSL_CTX_free(context) }

  /// Reads both files again. If they cannot be used, what was read before stays. Tickets stay valid.
  public func reload() throws(TLSFailure) {
    let new = try Self.load(certificateFile, keyFile)
    SSL_CTX_free(context)
    context = new
    if !ticketKeys.isEmpty { _ = openssl_set_ticket_keys(context, ticketKeys) }
  }

  /// A session for a new connection; nil if there is no memory.
  func makeSession(now: UInt64) -> OpaquePointer? {
    if now >= ticketKeysEnd { renewTicketKeys(now) }
    return SSL_new(context)
  }

  private func renewTicketKeys(_ now: UInt64) {
    var keys = [UInt8](repeating: 0, count: 80)
    guard RAND_bytes(&keys, 80) == 1 else { return }
    ticketKeys = keys
    ticketKeysEnd = now + Self.ticketKeyLife
    _ = openssl_set_ticket_keys(context, keys)
  }

  private static func load(_ certificate: String, _ key: String) throws(TLSFailure) -> OpaquePointer {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_server_method()) else { throw TLSFailure("TLS") }
    do throws(TLSFailure) {
      guard openssl_harden_server(context) == 1 else { throw TLSFailure("TLS") }
      // Nobody is there to be asked for a password.
      SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
      guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
        throw TLSFailure("the certificate '\(certificate)'")
      }
      guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
        throw TLSFailure("the key '\(key)'")
      }
      guard SSL_CTX_check_private_key(context) == 1 else {
        throw TLSFailure("the key '\(key)' is not that of the certificate '\(certificate)'")
      }
    } catch {
      SSL_CTX_free(context)
      throw error
    }
    SSL_CTX_set_timeout(context, ticketLife)
    SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    return context
  }
}

/// ALPN (RFC 7301): a client that offers protocols must offer ours, or there is nothing to talk about (§3.2).
private func selectProtocol(
  _: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  _ length: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ count: UInt32,
  _: UnsafeMutableRawPointer?
) -> Int32 {
  let ours: StaticString = "http/1.1"
  var rest = UnsafeBufferPointer(start: offered, count: Int(count))[...]
  while let size = rest.first, rest.count > Int(size) {
    let name = rest.dropFirst().prefix(Int(size))
    if name.elementsEqual(UnsafeBufferPointer(start: ours.utf8Start, count: ours.utf8CodeUnitCount)) {
      chosen?.pointee = ours.utf8Start
      length?.pointee = UInt8(ours.utf8CodeUnitCount)
      return SSL_TLSEXT_ERR_OK
    }
    rest = rest.dropFirst(1 + Int(size))
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL
}
