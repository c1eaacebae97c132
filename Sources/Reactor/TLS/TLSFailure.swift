import COpenSSL

/// Why a certificate or its key cannot be used, in words for the operator.
public struct TLSFailure: Error, CustomStringConvertible, Sendable, Equatable {
  public let description: String

  /// Takes the oldest of OpenSSL's errors, which is the cause of the others.
  init(_ what: String) {
    let code = ERR_get_error()
    ERR_clear_error()
    let reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "unknown error"
    description = "\(what): \(reason)"
  }
}
