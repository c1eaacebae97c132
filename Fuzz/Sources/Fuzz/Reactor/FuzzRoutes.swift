@testable import Reactor

/// Responders of handlers on the loop that answer later, by their connection.
final class HeldAnswers {
  private var responders: [SourceID: [Responder]] = [:]

  func hold(_ responder: Responder) { responders[responder.connection, default: []].append(responder) }

  func answer(_ connection: SourceID) {
    for responder in responders.removeValue(forKey: connection) ?? [] {
      responder.answer(Response(.ok, body: Array("later".utf8)))
    }
  }
}

extension FuzzServer {
  /// One route of each kind but `.worker`: a thread of its own would make runs differ, and its answers come as
  /// `/later`'s do.
  func addRoutes() {
    let held = held
    server.route(.get, "/loop", .loop { _, _ in Response(.ok, body: Array("loop".utf8)) })
    server.route(.get, "/large", .loop { _, _ in Response(.ok, body: [UInt8](repeating: 0x78, count: 2000)) })
    server.route(
      .get, "/later",
      .loop { _, responder in
        held.hold(responder)
        return nil
      })
    server.route(.post, "/echo", .loop { view, _ in Response(.ok, body: Array(view.body)) })
    server.route(.post, "/task", gate: { _ in .pass(nil) }, .task { Response(.ok, body: $0.body) })
    server.route(.post, "/closed", gate: { _ in .refuse(Response(.forbidden)) }, .loop { _, _ in nil })
    server.route(.post, "/upload/{ticks}", .upload(Self.upload))
    server.route(.post, "/early", .upload { _, _ in Response(.ok, body: Array("early".utf8)) })
    server.route(.get, "/stream/{ticks}", .task(Self.stream))
    server.route(.get, "/broken/{ticks}", .task(Self.broken))
    server.route(.get, "/ws", .webSocket(sockets))
  }

  /// Pulls a body and lets some ticks pass between the pieces.
  @Sendable private static func upload(_ request: Request, _ body: RequestBody) async -> Response {
    do throws(RequestBodyError) {
      var count = 0
      while let piece = try await body.next() {
        precondition(!piece.isEmpty, "a piece of nothing")
        count += piece.count
        await pass(request)
      }
      return Response(.ok, body: Array("\(count)".utf8))
    } catch {
      return Response(error.status, body: Array(error.reason.utf8))
    }
  }

  @Sendable private static func stream(_ request: Request) async -> Response {
    .stream(.ok, contentType: "text/plain") { writer in
      for piece in 1...5 {
        try await writer.write([UInt8](repeating: 0x30 + UInt8(piece), count: 50 * piece))
        await pass(request)
      }
    }
  }

  /// Its producer fails in the middle.
  @Sendable private static func broken(_ request: Request) async -> Response {
    .stream(.ok, contentType: "text/plain") { writer in
      try await writer.write(Array("half".utf8))
      await pass(request)
      throw ConnectionClosed()
    }
  }

  /// As many ticks as the path says, at most three: a job that yields goes on in the next tick.
  private static func pass(_ request: Request) async {
    for _ in 0..<min(3, Int(request.parameters[0]) ?? 0) { await Task.yield() }
  }
}
