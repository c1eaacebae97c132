extension Connection {
  /// Takes a head, and where the fast path applies its body and the answer too. Returns the bytes used; 0 asks for more.
  func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int {
    do {
      switch try parser.next(bytes, into: &server.head, limits: server.headLimits) {
      case .needMore:
        awaitHead()
        return 0
      case .head(let length):
        return length + handle(UnsafeRawBufferPointer(rebasing: bytes[..<length]), after: bytes)
      }
    } catch {
      fail(error, to: RequestHead(unread: bytes))
      return bytes.count
    }
  }

  private func awaitHead() {
    guard state == .idle else { return }
    state = .head
    setDeadline(after: server.limits.headerTimeout)
  }

  /// Routes a head. Returns the bytes of the body that it used.
  private func handle(_ headBytes: UnsafeRawBufferPointer, after bytes: UnsafeRawBufferPointer) -> Int {
    if !server.head.keepAlive { flags.insert(.lastAnswer) }
    if server.head.prefersServerTiming { server.head.parsed = server.loop.nanoseconds() }
    if let refusal = refusalOfTarget() { return refuse(refusal, headBytes) }
    let match: Router.Match
    switch server.router.match(server.head, headBytes) {
    case .found(let found): match = found
    case .answer(let response): return refuse(response, headBytes)
    }
    var view = RequestView(
      head: server.head, headBytes: headBytes, body: UnsafeRawBufferPointer(start: nil, count: 0),
      parameters: match.parameters, context: nil, socket: fd)
    if let gate = match.route.gate {
      switch gate(view) {
      case .pass(let context): view.context = context
      case .refuse(let response): return refuse(response, headBytes)
      }
    }
    if case .webSocket(let handler) = match.route.endpoint {
      upgrade(view, to: handler, context: view.context)
      return 0
    }
    return dispatch(&view, match, body: UnsafeRawBufferPointer(rebasing: bytes[headBytes.count...]))
  }

  /// What is asked of a server that this one is not: a proxy, or one with TLS.
  private func refusalOfTarget() -> Response? {
    if server.head.method == .connect {
      // RFC 9110 §9.3.6: a client that expects a tunnel may send bytes for its far end already.
      flags.insert(.lastAnswer)
      return server.refusal(.notImplemented, "This server is no proxy.", [])
    }
    // RFC 9110 §7.4: an https resource MUST NOT be had over a connection that is not secured.
    guard server.head.isForHTTPS, transport?.isSecure != true else { return nil }
    return server.refusal(.misdirectedRequest, "This connection has no TLS.", [])
  }

  /// Answers before the body was read. A client that waits for 100 is not told to send it: it may send or not, so the
  /// connection ends (RFC 9110 §10.1.1).
  private func refuse(_ response: Response, _ headBytes: UnsafeRawBufferPointer) -> Int {
    let framing = server.head.framing
    if server.head.expectsContinue && framing != .none { flags.insert(.lastAnswer) }
    respond(response, to: server.head)
    if flags.contains(.lastAnswer) || framing == .none {
      didAnswer()
      return 0
    }
    guard let exchange = begin(headBytes, server.router.discarding, nil) else { return 0 }
    discardBody(of: exchange)
    return 0
  }

  private func dispatch(
    _ view: inout RequestView, _ match: Router.Match, body: UnsafeRawBufferPointer
  ) -> Int {
    let length: Int
    switch server.head.framing {
    case .none: length = 0
    case .length(let count): length = count
    case .chunked: length = .max
    }
    // The fast path: the whole request lies in the receive buffer, and the handler runs here and now.
    if length <= body.count, length <= match.route.bodyLimit, case .loop(let handler) = match.route.endpoint {
      view.body = UnsafeRawBufferPointer(rebasing: body[..<length])
      runOnLoop(handler, view, exchange: nil)
      return length
    }
    guard let exchange = begin(view.headBytes, match, view.context) else { return 0 }
    if server.head.expectsContinue && body.isEmpty { send(ResponseEncoder.continue) }
    if length == 0 || match.route.endpoint.pullsBody { run(exchange) } else { awaitBody() }
    return 0
  }

  /// Nil if the body is announced to be too long: refused already, or ended where an answer has been sent.
  private func begin(
    _ headBytes: UnsafeRawBufferPointer, _ match: Router.Match, _ context: (any Sendable)?
  ) -> HTTPExchange? {
    do {
      let decoder = try BodyDecoder(
        server.head.framing, limits: BodyLimits(contentBytes: match.route.bodyLimit))
      let exchange = HTTPExchange(
        number: server.nextExchange(), head: server.head, headBytes: [UInt8](headBytes), match: match,
        context: context, decoder: decoder, budget: server.bodyBudget)
      self.exchange = exchange
      return exchange
    } catch {
      if match.route.isDiscarding {
        finish(.protocolError)
      } else {
        fail(error, to: server.head)
      }
      return nil
    }
  }
}
