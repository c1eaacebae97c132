import Testing

@testable import Reactor

@Suite("Opening handshake (RFC 6455 §4)")
struct HandshakeTests {
  private static let sample = "dGhlIHNhbXBsZSBub25jZQ=="
  private static let upgrade = ["Upgrade: websocket", "Connection: Upgrade"]
  private static let good = upgrade + ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(sample)"]

  /// A parsed head without the request parser: positions of the fields, and what the parser would have
  /// concluded.
  private func head(
    _ fields: [String], method: Reactor.Method = .get, minorVersion: UInt8 = 1, upgrades: Bool = true,
    framing: BodyFraming = .none
  ) -> (RequestHead, [UInt8]) {
    var bytes = Array("GET /ws HTTP/1.1\r\n".utf8)
    var head = RequestHead()
    for field in fields {
      let parts = field.split(separator: ":", maxSplits: 1)
      let (name, value) = (Array(parts[0].utf8), Array(parts[1].utf8.dropFirst()))
      head.fields.append(
        RequestHead.Field(
          name: ByteRange(start: bytes.count, count: name.count),
          value: ByteRange(start: bytes.count + name.count + 2, count: value.count)))
      bytes += name + [0x3A, 0x20] + value + [0x0D, 0x0A]
    }
    head.method = method
    head.minorVersion = minorVersion
    head.upgradesToWebSocket = upgrades
    head.framing = framing
    return (head, bytes + [0x0D, 0x0A])
  }

  private func check(_ head: RequestHead, _ bytes: [UInt8]) -> String {
    switch bytes.withUnsafeBytes({ Handshake.check(head, in: $0) }) {
    case .accept(let key, _): "accept " + withUnsafeBytes(of: key) { String(decoding: $0, as: UTF8.self) }
    case .refuse(let status, let fields):
      (["\(status.rawValue)"] + fields.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
    }
  }

  private func verdict(_ fields: [String]) -> String {
    let (head, bytes) = head(fields)
    return check(head, bytes)
  }

  private static let wantsUpgrade = "426 upgrade=websocket sec-websocket-version=13"

  @Test(arguments: [
    ("the sample", good, "accept \(sample)"),
    (
      "names in any case", upgrade + ["SEC-WEBSOCKET-VERSION: 13", "sec-websocket-key: \(sample)"],
      "accept \(sample)"
    ),
    (
      "an older version", upgrade + ["Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: \(sample)"], wantsUpgrade
    ),
    ("no version", upgrade + ["Sec-WebSocket-Key: \(sample)"], wantsUpgrade),
    (
      "a version that is no 13", upgrade + ["Sec-WebSocket-Version: 013", "Sec-WebSocket-Key: \(sample)"],
      wantsUpgrade
    ),
    ("two versions", good + ["Sec-WebSocket-Version: 13"], "400"),
    ("no key", upgrade + ["Sec-WebSocket-Version: 13"], "400"),
    ("two keys", good + ["Sec-WebSocket-Key: \(sample)"], "400"),
    ("a subprotocol that is no token", good + ["Sec-WebSocket-Protocol: a, b c"], "400"),
    ("subprotocols", good + ["Sec-WebSocket-Protocol: a, b"], "accept \(sample)"),
  ])
  func `the request's fields decide`(name: String, fields: [String], expected: String) {
    #expect(verdict(fields) == expected)
  }

  @Test func `what is no WebSocket request is refused`() {
    var (request, bytes) = head(Self.good, method: .post)
    #expect(check(request, bytes) == "405 allow=GET")
    (request, bytes) = head(Self.good, minorVersion: 0)
    #expect(check(request, bytes) == Self.wantsUpgrade)
    (request, bytes) = head(Self.good, upgrades: false)
    #expect(check(request, bytes) == Self.wantsUpgrade)
  }

  @Test func `a body would be read as frames`() {
    var (request, bytes) = head(Self.good, framing: .length(5))
    #expect(check(request, bytes) == "400")
    (request, bytes) = head(Self.good, framing: .chunked)
    #expect(check(request, bytes) == "400")
    (request, bytes) = head(Self.good, framing: .length(0))
    #expect(check(request, bytes) == "accept \(Self.sample)")
  }

  @Test(arguments: [
    (sample, true), ("AAAAAAAAAAAAAAAAAAAAAA==", true), ("//////////////////////w==", false),
    ("+/+/+/+/+/+/+/+/+/+/+w==", true), ("/////////////////////w==", true),
    ("", false), ("AAAAAAAAAAAAAAAAAAAAAA=", false), ("AAAAAAAAAAAAAAAAAAAAAAA=", false),
    ("AAAAAAAAAAAAAAAAAAAAAAAA", false), ("AAAAAAAAAAAAAAAAAAAAAB==", false),
    ("AAAAAAAAAAAAAAAAAAAAAI==", false),
    ("AAAAAAAAAAAAAAAAAAAAA-==", false), ("AAAAAAAAAA AAAAAAAAAAA==", false),
    ("AAAAAAAAAAAAAAAAAAAA====", false), ("dGhlIHNhbXBsZSBub25jZQ==\t", false),
  ])
  func `a key is canonical base64 of 16 bytes`(text: String, isKey: Bool) {
    #expect(Array(text.utf8).withUnsafeBytes { Handshake.key($0) != nil } == isKey)
  }

  @Test func `the accept value of the RFC's sample`() throws {
    let key = try #require(Array(Self.sample.utf8).withUnsafeBytes { Handshake.key($0) })
    // The digest of §1.3; what is digested is checked, the digest itself is the TLS library's.
    let digest = hex("b37a4f2cc0624f1690f64606cf385945b2bec4ea")
    let value = Handshake.acceptValue(for: key) { text in
      #expect(String(decoding: text, as: UTF8.self) == Self.sample + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
      return [20 of UInt8] { digest[$0] }
    }
    #expect(value == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  @Test(
    arguments: [
      ([], []), (["wattloop.v1"], ["wattloop.v1"]), (["a, b ,c"], ["a", "b", "c"]),
      (["a,b", "c"], ["a", "b", "c"]), ([",, a ,\t,"], ["a"]), ([""], []),
      (["wattloop.v1, bearer.eyJ0-_x.eyJ.a_b"], ["wattloop.v1", "bearer.eyJ0-_x.eyJ.a_b"]),
      (["a b"], nil), (["a", "b\"c\""], nil), (["ä"], nil), (["a/b"], nil),
    ] as [([String], [String]?)])
  func `subprotocols are one list of tokens`(values: [String], offers: [String]?) {
    let (head, bytes) = head(values.map { "Sec-WebSocket-Protocol: " + $0 })
    #expect(bytes.withUnsafeBytes { head.offeredSubprotocols(in: $0) } == offers)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `base64 as in RFC 4648 §10`(plain: String, encoded: String) {
    #expect(Array(plain.utf8).withUnsafeBytes { Base64.encode($0) } == encoded)
  }

  @Test func `every base64 letter has its value`() {
    let all = hex(
      "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3dfbf")
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    #expect(all.withUnsafeBytes { Base64.encode($0) } == letters)
    #expect(letters.utf8.map { Base64.value($0) } == (UInt8(0)..<64).map { $0 })
    #expect((UInt8.min...UInt8.max).filter { Base64.value($0) != nil }.count == 64)
  }
}
