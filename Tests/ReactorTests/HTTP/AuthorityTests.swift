import Testing

@testable import Reactor

@Suite("Authorities (RFC 3986 §3.2.2, RFC 9110 §7.2)")
struct AuthorityTests {
  @Test(
    "Valid",
    arguments: [
      "a", "example.com", "EXAMPLE.com.", "localhost:8080", "a:", "a:0", "a:65535", "a:00080", "127.0.0.1",
      "1.2.3",
      "a-b_c~d", "a!$&'()*+,;=b", "%41%5a", "a%2Fb:1", "xn--bcher-kva.example",
      "[::]", "[::1]", "[::1]:80", "[1::]", "[1:2:3:4:5:6:7:8]", "[1::8]", "[1:2:3:4:5:6:7::]",
      "[::2:3:4:5:6:7:8]",
      "[2001:DB8::a:b]", "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.255]", "[v1.a:b]", "[vF0.~]",
    ])
  func valid(_ text: String) {
    #expect(isValid(text))
  }

  @Test(
    "Invalid",
    arguments: [
      "", ":", ":80", "a:b", "a:-1", "a:65536", "a:99999999999999999999", "a:1:2", "a b", "a/b", "a?b", "a#b",
      "a@b",
      "a\\b", "a\"b", "a<b", "a^b", "a|b", "%", "%4", "%4g", "%g4", "a%", "\u{E9}",
      "[", "[]", "]", "a]", "[a]b", "[::1", "::1", "[::1]80", "[::1]a", "[:]", "[:::]", "[1]",
      "[1:2:3:4:5:6:7]",
      "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7:8::]", "[1::2::3]", "[1:]", "[:1]", "[1:2:3:4:5:6:7:]",
      "[12345::]",
      "[g::]", "[::1.2.3]", "[::1.2.3.4.5]", "[::1.2.3.256]", "[::01.2.3.4]", "[::1.2.3.4:5]", "[::1..2.3]",
      "[1:2:3:4:5:6:7:1.2.3.4]", "[1.2.3.4]", "[::1.2.3.]", "[fe80::1%25eth0]", "[v.a]", "[v1]", "[v1.]",
      "[vg.a]",
      "[v1.a/b]",
    ])
  func invalid(_ text: String) {
    #expect(!isValid(text))
  }

  private func isValid(_ text: String) -> Bool {
    latin1(text).withUnsafeBytes { Authority.isValid($0.bytes, port: .optional) }
  }
}
