import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite struct `A peer's address` {
  private func ip4(_ text: String) -> PeerAddress {
    var address = in_addr()
    inet_pton(AF_INET, text, &address)
    return PeerAddress(address)
  }

  private func ip6(_ text: String) -> PeerAddress {
    var address = in6_addr()
    inet_pton(AF_INET6, text, &address)
    return PeerAddress(address)
  }

  @Test func `has 16 bytes and the usual text form`() {
    #expect(MemoryLayout<PeerAddress>.size == 16)
    for text in ["0.0.0.0", "192.0.2.1", "255.255.255.255"] { #expect("\(ip4(text))" == text) }
    for text in ["::", "::1", "2001:db8::1", "fe80:1:2:3:4:5:6:7"] { #expect("\(ip6(text))" == text) }
  }

  @Test func `is the same for IPv4 in either family`() {
    #expect(ip6("::ffff:192.0.2.1") == ip4("192.0.2.1") && ip6("::ffff:192.0.2.1").isIPv4)
    #expect(!ip6("::192.0.2.1").isIPv4 && !ip6("1::ffff:192.0.2.1").isIPv4)
  }

  @Test func `counts an IPv6 /64 as one network, and each IPv4 address`() {
    #expect(ip6("2001:db8:0:1::1").network == ip6("2001:db8:0:1:ffff::").network)
    #expect(ip6("2001:db8:0:1::1").network != ip6("2001:db8:0:2::1").network)
    #expect("\(ip6("2001:db8:0:1::1").network)" == "2001:db8:0:1::")
    #expect(
      ip4("192.0.2.1").network == ip4("192.0.2.1") && ip4("192.0.2.1").network != ip4("192.0.2.2").network)
  }

  @Test func `is known to a gate`() throws {
    let test = try TestServer()
    let client = TestClient(linux_connect("127.0.0.9", "127.0.0.1", String(test.port)), test)
    client.send("GET /address HTTP/1.1\r\nhost: a\r\n\r\n")
    client.read(containing: "127.0.0.9")
    #expect(client.statuses == ["200"] && client.text.hasSuffix("\r\n\r\n127.0.0.9"))
  }

  @Test func `is nothing where nobody is connected`() {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #expect(PeerAddress(ofPeer: fd) == nil)
    close(fd)
  }
}
