/// The server's side of the opening handshake (RFC 6455 §4.2).
enum Handshake {
  /// The value of `Sec-WebSocket-Key`: base64 of 16 bytes, never decoded.
  typealias Key = [24 of UInt8]

  enum Verdict {
    case accept(key: Key, extensions: [ExtensionElement])
    /// This status and these fields instead, over plain HTTP.
    case refuse(Status, [Response.Field])
  }

  /// RFC 6455 §4.2.1, checked in the order in which a client can do something about it.
  static func check(_ head: RequestHead, in bytes: UnsafeRawBufferPointer) -> Verdict {
    guard head.method == .get else { return .refuse(.methodNotAllowed, [Response.Field("allow", "GET")]) }
    // RFC 9110 §7.8: an upgrade in HTTP/1.0 MUST be ignored.
    guard head.minorVersion >= 1, head.upgradesToWebSocket else { return upgradeRequired }
    // A body would be read as frames.
    guard head.framing == .none || head.framing == .length(0) else { return .refuse(.badRequest, []) }
    let versions = head.values(of: "sec-websocket-version", in: bytes)
    guard versions.count <= 1 else { return .refuse(.badRequest, []) }
    guard let version = versions.first, version.elementsEqual("13".utf8) else { return upgradeRequired }
    let keys = head.values(of: "sec-websocket-key", in: bytes)
    guard keys.count == 1, let key = key(keys[0]) else { return .refuse(.badRequest, []) }
    guard head.offeredSubprotocols(in: bytes) != nil, let extensions = head.offeredExtensions(in: bytes)
    else {
      return .refuse(.badRequest, [])
    }
    return .accept(key: key, extensions: extensions)
  }

  /// RFC 6455 §4.2.2 names the version; RFC 9110 §15.5.22 wants `Upgrade` in every 426.
  private static var upgradeRequired: Verdict {
    .refuse(
      .upgradeRequired,
      [Response.Field("upgrade", "websocket"), Response.Field("sec-websocket-version", "13")])
  }

  /// Canonical base64 of 16 bytes: 22 letters, of which the last carries only two bits, and two pads.
  static func key(_ value: UnsafeRawBufferPointer) -> Key? {
    guard value.count == 24, value[22] == UInt8(ascii: "="), value[23] == UInt8(ascii: "=") else {
      return nil
    }
    guard value[..<22].allSatisfy({ Base64.value($0) != nil }) else { return nil }
    guard let last = Base64.value(value[21]), last & 0x0F == 0 else { return nil }
    return Key { value[$0] }
  }

  /// `Sec-WebSocket-Accept` (RFC 6455 §4.2.2 step 5.4). The digest is the caller's: it belongs to the TLS
  /// library.
  static func acceptValue(
    for key: Key, sha1: (UnsafeRawBufferPointer) -> [20 of UInt8]
  ) -> String {
    let guid: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    let digest = withUnsafeTemporaryAllocation(byteCount: 60, alignment: 1) { text in
      for i in key.indices { text[i] = key[i] }
      for i in 0..<guid.utf8CodeUnitCount { text[24 + i] = guid.utf8Start[i] }
      return sha1(UnsafeRawBufferPointer(text))
    }
    return withUnsafeBytes(of: digest) { Base64.encode($0) }
  }
}
