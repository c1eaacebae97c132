import ArgumentParser
import Glibc
import Reactor

/// The reactor without an application: what it costs by itself, and what the conformance suites talk to.
@main
struct ReactorEcho: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reactor-echo", abstract: "Echo over HTTP and WebSocket.",
    discussion: "GET /plaintext, GET /json, POST /echo, WebSocket /echo, WebSocket /room/{name}.")

  @Option(help: "The port; 0 takes a free one.") var port: UInt16
  @Option(help: "The address.") var host = "127.0.0.1"

  func run() throws {
    DescriptorLimit.raise()
    let loop = try EventLoop()
    let signals = try SignalSource { if $0 == SIGTERM || $0 == SIGINT { loop.stop() } }
    try signals.start(on: loop)
    let server = Server(loop: loop, limits: limits) { status, sentence, fields in
      Response(status, fields: fields, body: Array(sentence.utf8), contentType: "text/plain")
    }
    addRoutes(to: server)
    let port = try server.listen(host: host, port: port)
    print("listening on \(host):\(port)")
    // A pipe holds the line back otherwise, and a script waits for it.
    fflush(nil)
    loop.run()
  }

  /// Room for the largest cases of the Autobahn suite, and for thousands of fragments.
  private var limits: Limits {
    var limits = Limits()
    limits.bodyBytes = 16 << 20
    limits.messageBytes = 16 << 20
    limits.messageFragments = 100_000
    limits.sendBuffer = 64 << 20
    return limits
  }

  private func addRoutes(to server: Server) {
    let plain = Response(.ok, body: Array("Hello, World!".utf8), contentType: "text/plain")
    let json = Response(
      .ok, body: Array(#"{"message":"Hello, World!"}"#.utf8), contentType: "application/json")
    server.route(.get, "/plaintext", .loop { _, _ in plain })
    server.route(.get, "/json", .loop { _, _ in json })
    server.route(
      .post, "/echo",
      .loop { request, _ in
        let type = request.value(of: "content-type")
        return Response(
          .ok, fields: type.map { [Response.Field("content-type", $0)] } ?? [], body: Array(request.body))
      })
    server.route(.get, "/echo", .webSocket(EchoSocket(server: server)))
    server.route(.get, "/room/{name}", .webSocket(RoomSocket(server: server)))
  }
}
