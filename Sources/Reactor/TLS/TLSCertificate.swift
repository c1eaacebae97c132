import COpenSSL
import Glibc

/// A certificate with its key, read from their files, and the versions and ciphers that go with them.
public final class TLSCertificate: Sendable {
  /// Of a ticket, seconds.
  private static let ticketLife = 2 * 3600

  public let certificateFile: String
  public let keyFile: String
  /// OpenSSL locks what several threads may need of it.
  private nonisolated(unsafe) let context: OpaquePointer

  /// Reads the files, which blocks: not for the loop while it serves.
  /// - Parameters:
  ///   - certificateFile: PEM, the server's certificate first and its chain behind.
  ///   - keyFile: its private key, PEM without a password.
  public init(certificateFile: String, keyFile: String) throws(TLSFailure) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    context = try Self.load(certificateFile, keyFile)
  }

  deinit { SSL_CTX_free(context) }

  /// What its files hold now.
  public func readAnew() throws(TLSFailure) -> TLSCertificate {
    try TLSCertificate(certificateFile: certificateFile, keyFile: keyFile)
  }

  func makeSession() -> OpaquePointer? { SSL_new(context) }

  func setTicketKeys(_ keys: [UInt8]) { _ = openssl_set_ticket_keys(context, keys) }

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
