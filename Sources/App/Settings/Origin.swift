/// An origin as browsers serialise it (RFC 6454 §6.2): scheme and host in lower case, the port only if it is
/// not the scheme's own. Settings are brought to this form so that a comparison of bytes is enough later.
enum Origin {
  static func normalized(_ text: some StringProtocol) -> String? {
    let lower = text.lowercased()
    for (scheme, ownPort) in [("https://", ":443"), ("http://", ":80")] where lower.hasPrefix(scheme) {
      let authority = lower.dropFirst(scheme.count)
      guard isAuthority(authority) else { return nil }
      return scheme + (authority.hasSuffix(ownPort) ? authority.dropLast(ownPort.count) : authority)
    }
    return nil
  }

  private static func isAuthority(_ text: Substring) -> Bool {
    let host = text.hasPrefix("[") ? text.prefix { $0 != "]" } + "]" : text.prefix { $0 != ":" }
    guard text.hasPrefix(host), isHost(host) else { return false }
    let port = text.dropFirst(host.count)
    return port.isEmpty || (port.hasPrefix(":") && unsigned(port.dropFirst(), as: UInt16.self) != nil)
  }

  private static func isHost(_ host: Substring) -> Bool {
    let bytes = host.hasPrefix("[") ? host.dropFirst().dropLast() : host
    let mayHaveColon = bytes.count < host.count
    return !bytes.isEmpty
      && bytes.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: byte == UInt8(ascii: ":") && mayHaveColon
        }
      }
  }
}
