import Reactor

/// The server's certificate, as the settings name it.
public enum Certificate {
  /// nil for plain HTTP.
  /// - Throws: `ConfigurationError` if one of two settings is missing, or a file cannot be used.
  public static func load(_ configuration: Configuration) throws(ConfigurationError) -> TLSContext? {
    switch (configuration.tlsCert, configuration.tlsKey) {
    case (nil, nil): return nil
    case (_?, nil): throw .message("--tls-cert needs --tls-key")
    case (nil, _?): throw .message("--tls-key needs --tls-cert")
    case (let certificate?, let key?):
      do throws(TLSFailure) {
        return TLSContext(try TLSCertificate(certificateFile: certificate, keyFile: key))
      } catch {
        throw .message("--tls-cert, --tls-key: \(error)")
      }
    }
  }
}
