/// The one table of settings. Flags, environment variables, the config file, `--help` and error lines come
/// from it.
public enum SettingTable {
  private static let timeout = Duration.milliseconds(50)...Duration.seconds(86_400)

  static let all: [Setting] = [
    Setting("host", \.host, .address(), "the address to listen on, IPv4 or IPv6"),
    Setting("port", \.port, .number(0...65535), "the TCP port; 0 lets the system choose one"),
    Setting("data", \.data, .path(), "the directory of the store"),
    Setting(
      "jwt-key", \.jwtKey, .path(unset: "DATA/jwt.key"),
      "the tokens' signing key: base64url of 32 bytes, or a P-256 or Ed25519 PEM"),
    Setting(
      "tls-cert", \.tlsCert, .path(unset: "none"),
      "certificate and chain, PEM: speaks HTTPS; read anew at SIGHUP with its key"),
    Setting("tls-key", \.tlsKey, .path(unset: "none"), "the certificate's private key, PEM"),
    Setting("pid-file", \.pidFile, .path(unset: "none"), "a file for the process id while the server runs"),
    Setting(
      "access-ttl", \.accessTTL, .duration(.seconds(1)...(.seconds(30 * 86_400))),
      "the life of an access token"),
    Setting(
      "refresh-ttl", \.refreshTTL, .duration(.seconds(1)...(.seconds(3650 * 86_400))),
      "the life of a refresh token"),
    Setting(
      "allow-origin", \.allowOrigin, .origins(), "other sites whose pages may connect; may be repeated"),
    Setting("rate-limit", \.rateLimit, .choice(), "whether clients are held to their rates"),
    Setting("send-rate", \.sendRate, .number(1...100_000), "messages a second that one user may send"),
    Setting(
      "scrypt-n", \.scryptN, .powerOfTwo(2...(1 << 20)), "the cost of a new password hash, KiB of memory"),
    Setting(
      "header-timeout", \.headerTimeout, .duration(timeout),
      "for a request's head, a TLS or WebSocket handshake"),
    Setting("body-timeout", \.bodyTimeout, .duration(timeout), "for a body that makes no progress"),
    Setting("idle-timeout", \.idleTimeout, .duration(timeout), "for a connection between two requests"),
    Setting("send-timeout", \.sendTimeout, .duration(timeout), "for a peer that does not read"),
    Setting(
      "heartbeat", \.heartbeat, .duration(timeout),
      "between heartbeats; a WebSocket peer silent for three is dropped"),
    Setting(
      "drain", \.drain, .duration(.zero...(.seconds(3600))), "the time to finish work after SIGTERM"),
    Setting(
      "max-connections", \.maxConnections, .number(1...1_000_000), "connections at one time"),
    Setting(
      "deflate-connections", \.deflateConnections, .number(0...1_000_000),
      "with more connections, new WebSockets are not compressed (50 KiB each)"),
    Setting("max-header", \.maxHeader, .size(1024...(1 << 20)), "the longest head of a request"),
    Setting("max-body", \.maxBody, .size(1024...(1 << 30)), "the longest body of a request"),
    Setting(
      "max-measurements", \.maxMeasurements, .size(1024...(1 << 30)), "the longest body of measurements"),
    Setting("max-message", \.maxMessage, .size(1024...(16 << 20)), "the longest WebSocket message"),
    Setting(
      "send-buffer", \.sendBuffer, .size((16 << 10)...(1 << 30)),
      "what may wait for one connection that reads too slowly"),
    Setting("log-level", \.logLevel, .choice(), "the least level that is logged"),
    Setting("log-format", \.logFormat, .choice(), "how log lines look"),
  ]

  static func setting(named name: some StringProtocol) -> Setting? { all.first { $0.name == name } }

  /// The settings as a block of the `--help` text, which wraps at 80 columns.
  public static let helpText: String = {
    let entries = all.map { setting in
      """
        --\(setting.name) \(setting.placeholder)
            \(setting.help)
            default: \(setting.defaultText)
      """
    }
    return """
      SETTINGS
        Flags of every command. --some-name is also the variable WATTLOOP_SOME_NAME
        and the key "some-name" in the config file, a JSON object. A flag is
        stronger than the environment, and that is stronger than the file.

        --config FILE
            the config file
            default: none

      """ + "\n" + entries.joined(separator: "\n")
  }()
}
