import Testing

@testable import Reactor

@Suite("The client's side of the handshake (RFC 6455 §4.1)")
struct ClientHandshakeTests {
  private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
  private static let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
  private static let good =
    "HTTP/1.1 101 Switching Protocols\r\n\(upgrade)Sec-WebSocket-Accept: \(accept)\r\n"

  private func check(_ text: String) -> ClientHandshake.Answer {
    Array(text.utf8).withUnsafeBytes { ClientHandshake.check($0, accept: Self.accept, offered: ["a", "b"]) }
  }

  @Test func `renders a request that the server accepts`() throws {
    let nonce = Array("the sample nonce".utf8)
    let key = ClientHandshake.key([16 of UInt8] { nonce[$0] })
    let bytes = ClientHandshake.request(
      host: "localhost:8080", path: "/ws", key: key, protocols: ["a", "b"], fields: [.init("Origin", "null")])
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        GET /ws HTTP/1.1\r
        Host: localhost:8080\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Protocol: a, b\r
        Origin: null\r
        \r

        """)
    let text = withUnsafeBytes(of: key) { Array($0) }
    #expect(text.withUnsafeBytes { Handshake.key($0) != nil })
  }

  @Test func `is complete with the empty line, and not before`() {
    let head = complete("Sec-WebSocket-Protocol: b\r\n")
    for count in 0..<head.utf8.count { #expect(check(String(head.prefix(upToByte: count))) == .needMore) }
    let accepted = ClientHandshake.Answer.accepted(headLength: head.utf8.count, subprotocol: "b")
    #expect(check(head) == accepted)
    #expect(check(head + "\u{81}\u{02}hi") == accepted)
  }

  private func complete(_ more: String = "") -> String { Self.good + more + "\r\n" }

  @Test(arguments: [
    ("no 101", good.replacing("101 Switching Protocols", "200 OK")),
    ("another accept value", good.replacing(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=")),
    ("no accept value", "HTTP/1.1 101 x\r\n\(upgrade)"),
    ("no upgrade", "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n"),
    ("no connection", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: \(accept)\r\n"),
    ("two accept values", good + "Sec-WebSocket-Accept: \(accept)\r\n"),
    ("a subprotocol not offered", good + "Sec-WebSocket-Protocol: c\r\n"),
    ("two subprotocols", good + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"),
    ("an extension not offered", good + "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
  ])
  func `anything else is refused`(name: String, head: String) {
    #expect(check(head + "\r\n") == .refused)
  }

  @Test func `fields in other words mean the same`() {
    let head = "HTTP/1.1 101 \r\nUPGRADE:WebSocket\r\nconnection: keep-alive, upgrade \r\n"
    let text = head + "sec-websocket-accept:\t\(Self.accept) \r\n\r\n"
    #expect(check(text) == .accepted(headLength: text.utf8.count, subprotocol: nil))
  }

  @Test func `an endless head is refused`() {
    #expect(check(String(repeating: "a", count: ClientHandshake.maximumHead)) == .needMore)
    #expect(check(String(repeating: "a", count: ClientHandshake.maximumHead + 1)) == .refused)
  }
}

extension String {
  fileprivate func prefix(upToByte count: Int) -> String {
    String(decoding: utf8.prefix(count), as: UTF8.self)
  }

  /// The first occurrence; the standard library has only the Character-wise search.
  fileprivate func replacing(_ old: String, _ new: String) -> String {
    let (all, wanted) = (Array(utf8), Array(old.utf8))
    let starts = 0...max(0, all.count - wanted.count)
    guard let start = starts.first(where: { all[$0...].starts(with: wanted) }) else { return self }
    return String(decoding: all[..<start] + Array(new.utf8) + all[(start + wanted.count)...], as: UTF8.self)
  }
}
