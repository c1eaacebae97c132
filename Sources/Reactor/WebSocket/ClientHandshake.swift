/// The client's side of the opening handshake (RFC 6455 §4.1), for the load client and the tests.
enum ClientHandshake {
  enum Answer: Equatable {
    case needMore
    /// Frames begin after `headLength` bytes.
    case accepted(headLength: Int, subprotocol: String?)
    case refused
  }

  /// A response head longer than this is refused.
  static let maximumHead = 16 * 1024

  /// `nonce` must be random and new for each connection.
  static func key(_ nonce: [16 of UInt8]) -> Handshake.Key {
    let text = withUnsafeBytes(of: nonce) { Base64.encode($0) }
    var letters = text.utf8.makeIterator()
    return Handshake.Key { _ in letters.next() ?? UInt8(ascii: "=") }
  }

  /// The request head. The arguments are the program's own: they are not checked for line ends.
  static func request(
    host: String, path: String, key: Handshake.Key, protocols: [String] = [], fields: [Response.Field] = []
  ) -> [UInt8] {
    let keyText = withUnsafeBytes(of: key) { String(decoding: $0, as: UTF8.self) }
    var head = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(keyText)\r\n"
    if !protocols.isEmpty { head += "Sec-WebSocket-Protocol: \(protocols.joined(separator: ", "))\r\n" }
    for field in fields { head += "\(field.name): \(field.value)\r\n" }
    head += "\r\n"
    return Array(head.utf8)
  }

  /// Checks the response head at the front of `bytes`. `accept` is what `Handshake.acceptValue` gives for our
  /// key, `offered` the subprotocols of our request; no extension was offered, so none may be answered.
  static func check(_ bytes: UnsafeRawBufferPointer, accept: String, offered: [String] = []) -> Answer {
    guard let length = headLength(bytes) else {
      return bytes.count > maximumHead ? .refused : .needMore
    }
    // CR LF is one Character.
    let lines = String(decoding: bytes[..<length], as: UTF8.self).split(separator: "\r\n")
    guard let status = lines.first, status.hasPrefix("HTTP/1.1 101 ") else { return .refused }
    let fields = lines.dropFirst().map(field)
    let values = { (name: String) in fields.filter { $0.name == name }.map(\.value) }
    guard values("upgrade").map({ $0.lowercased() }) == ["websocket"] else { return .refused }
    let options = values("connection").flatMap {
      $0.lowercased().split(whereSeparator: { ", \t".contains($0) })
    }
    guard options.contains("upgrade") else { return .refused }
    guard values("sec-websocket-accept") == [accept] else { return .refused }
    guard values("sec-websocket-extensions").isEmpty else { return .refused }
    let chosen = values("sec-websocket-protocol")
    guard chosen.count <= 1, chosen.allSatisfy(offered.contains) else { return .refused }
    return .accepted(headLength: length, subprotocol: chosen.first)
  }

  /// Up to and with the empty line.
  private static func headLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
    let end: StaticString = "\r\n\r\n"
    var matched = 0
    for (i, byte) in bytes.prefix(maximumHead).enumerated() {
      if byte == end.utf8Start[matched] {
        matched += 1
        if matched == 4 { return i + 1 }
      } else {
        matched = byte == end.utf8Start[0] ? 1 : 0
      }
    }
    return nil
  }

  private static func field(_ line: Substring) -> (name: String, value: String) {
    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return (line.lowercased(), "") }
    let value = parts[1].drop { $0 == " " || $0 == "\t" }
    let trailing = value.reversed().prefix { $0 == " " || $0 == "\t" }.count
    return (parts[0].lowercased(), String(value.dropLast(trailing)))
  }
}
