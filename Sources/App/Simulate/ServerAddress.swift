/// Where a server is, from a URL such as `http://127.0.0.1:8080`.
public struct ServerAddress: Sendable, Equatable {
  /// A name or a numeric address, IPv6 without its brackets.
  public let host: String
  public let port: UInt16

  /// - Throws: `usage` for what is no such URL, and for one with a path.
  public init(_ url: String) throws(ExitFailure) {
    let text = url.hasSuffix("/") ? url.dropLast() : url[...]
    guard let origin = Origin.normalized(text) else {
      throw .usage("--url: '\(url)' is not a URL such as http://127.0.0.1:8080")
    }
    guard origin.hasPrefix("http://") else {
      throw .usage("--url: https is not supported; give the address of the server itself, with http")
    }
    let authority = origin.dropFirst("http://".count)
    let isBracketed = authority.hasPrefix("[")
    let host = isBracketed ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
    let rest = authority.dropFirst(host.count + (isBracketed ? 2 : 0))
    // A port that is not there is the scheme's own (RFC 9110 §4.2.1).
    guard let port = rest.isEmpty ? 80 : UInt16(rest.dropFirst()), port > 0 else {
      throw .usage("--url: '\(url)' has no port that can be")
    }
    // A server listens on IPv4 unless it is told otherwise, and a name gives its IPv6 address first.
    self.host = host == "localhost" ? "127.0.0.1" : String(host)
    self.port = port
  }
}
