/// What answers a route. The kind says where the handler runs, and is one word in the route table.
public enum Endpoint {
  /// On the loop, at once, from memory. `nil` means that the responder will answer later.
  case loop((borrowing RequestView, Responder) -> Response?)
  /// On a worker thread of that queue, as one step of straight-line code that may block.
  case worker(WorkerQueue, @Sendable (Request) -> Response)
  /// `async`, in several steps; between its awaits it runs on the loop and must not block.
  case task(@Sendable (Request) async -> Response)
  /// `async` on the loop like `task`, from the moment the head is complete (and a client that waits for 100 has been told
  /// to go on): the handler pulls the body itself. It may answer without the body's end.
  case upload(@Sendable (Request, RequestBody) async -> Response)
  /// Upgrades to a WebSocket (RFC 6455), served by that handler.
  case webSocket(WebSocketHandler)

  var pullsBody: Bool {
    if case .upload = self { true } else { false }
  }
}

/// What a route's gate says of a request, from its head alone, before any of its body is read.
public enum GateVerdict {
  /// Let it in; the value becomes the request's `context`.
  case pass((any Sendable)?)
  /// Answer this instead. It is sent whole: a streamed answer loses its content here.
  case refuse(Response)
}

/// Runs on the loop, for each request of a route, when its head is complete; and again, for its verdict alone, when its body
/// is. (A handler that pulls the body runs before that, and looks for itself.)
public typealias Gate = (borrowing RequestView) -> GateVerdict
