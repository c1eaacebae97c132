import Testing

@testable import Reactor

@Suite struct `A refused request` {
  /// A transport that says it is TLS.
  private final class Secure: Transport {
    override var isSecure: Bool { true }
  }

  @Test(arguments: [
    "HEAD /loop HTTP/1.1\r\n\r\n", "HEAD /loop HTTP/1.1\nHost: a\n\n", "\r\nHEAD  /loop HTTP/1.1\r\n\r\n",
    "HEAD / HTTP/1.1\r\nhost: a\r\nexpect: x\r\n\r\n",
  ]) func `is answered without content if it is HEAD, RFC 9110 §9.3.2`(_ request: String) throws {
    let client = try TestServer().connect()
    client.send(request)
    client.readToEnd()
    #expect(client.statuses.count == 1 && client.text.hasSuffix("connection: close\r\n\r\n"))
  }

  @Test func `is answered without content if it is HEAD and comes too slowly`() throws {
    let client = try TestServer { $0.headerTimeout = 60 }.connect()
    client.send("HEAD /loop HT")
    client.readToEnd()
    #expect(client.statuses == ["408"] && client.text.hasSuffix("\r\n\r\n"))
  }

  @Test func `has its content if it is not HEAD`() throws {
    let client = try TestServer().connect()
    client.send("HEADS /loop HTTP/1.1\r\n\r\n")
    client.readToEnd()
    #expect(client.statuses == ["400"] && client.text.hasSuffix("missing Host"))
  }

  @Test func `is CONNECT: this is no proxy, and what comes behind it is no request`() throws {
    let client = try TestServer().connect()
    client.send("CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\nGET /loop HTTP/1.1\r\nhost: a\r\n\r\n")
    client.readToEnd()
    #expect(client.statuses == ["501"])
  }

  @Test func `is for an https resource, unless the connection has TLS, RFC 9110 §7.4`() throws {
    let test = try TestServer()
    let client = test.connect()
    let request = "GET https://a/loop HTTP/1.1\r\nhost: a\r\n\r\n"
    client.send(request)
    client.read { $0.statuses == ["421"] }
    test.loop.forEachSource { ($0 as? Connection)?.layers = Layers(transport: Secure()) }
    client.send(request)
    client.read(containing: "\r\n\r\nloop")
    #expect(client.statuses == ["421", "200"])
  }
}
