extension Connection {
  // MARK: Handlers

  func run(_ exchange: HTTPExchange) {
    state = .answering
    switch exchange.match.route.endpoint {
    case .loop(let handler):
      exchange.headBytes.withUnsafeBytes { headBytes in
        exchange.body.withUnsafeBytes { body in
          let view = RequestView(
            head: exchange.head, headBytes: headBytes, body: body, parameters: exchange.match.parameters,
            context: exchange.context, socket: fd)
          runOnLoop(handler, view, exchange: exchange)
        }
      }
    case .worker(let queue, let handler):
      let responder = responder(for: exchange)
      let request = Request(exchange)
      if !queue.submit({ responder.answer(handler(request)) }) {
        responder.answer(server.refusal(.serviceUnavailable, "The server is busy.", [retryAfterASecond]))
      }
    case .task(let handler):
      let responder = responder(for: exchange)
      let request = Request(exchange)
      Task(executorPreference: server.loop.executor) { responder.answer(await handler(request)) }
    case .upload(let handler): startUpload(exchange, handler)
    case .webSocket:
      // The handshake was answered at its head.
      finish(.protocolError)
    }
  }

  func runOnLoop(
    _ handler: (borrowing RequestView, Responder) -> Response?, _ view: borrowing RequestView,
    exchange: HTTPExchange?
  ) {
    let number = exchange?.number ?? server.nextExchange()
    let responder = Responder(server: server.reference, connection: id, exchange: number)
    state = .answering
    guard let response = handler(view, responder) else {
      if state == .answering, self.exchange == nil {
        self.exchange = HTTPExchange(number: number, of: view, server.router.discarding)
      }
      return
    }
    guard state == .answering else { return }
    if response.producer != nil {
      let exchange = exchange ?? HTTPExchange(number: number, of: view, server.router.discarding)
      self.exchange = exchange
      return answer(response, exchange)
    }
    respond(response, to: view.head)
    didAnswer()
  }

  func responder(for exchange: HTTPExchange) -> Responder {
    Responder(server: server.reference, connection: id, exchange: exchange.number)
  }

  // MARK: Answers

  /// The answer of a handler that took its time. One for another exchange comes too late, and is dropped.
  func deliver(_ response: Response, exchange number: UInt32) {
    guard state == .answering || state == .uploading else { return }
    guard let exchange else { return deliverLater(response, number) }
    guard exchange.number == number, exchange.stream == nil else { return }
    answer(response, exchange)
  }

  private func answer(_ response: Response, _ exchange: HTTPExchange) {
    stopUpload(exchange)
    if let produce = response.producer { return startStream(produce, of: response, exchange) }
    respond(response, to: exchange.head)
    didSendAnswer(exchange)
  }

  /// The handler on the loop answers before it has returned: the answer waits until it has.
  private func deliverLater(_ response: Response, _ number: UInt32) {
    let responder = Responder(server: server.reference, connection: id, exchange: number)
    server.loop.mailbox.post { responder.answer(response) }
  }

  /// Sends a whole answer.
  func respond(_ response: Response, to head: RequestHead) {
    if head.prefersServerTiming { return send(timed(response, head), to: head) }
    send(response, to: head)
  }

  /// The answer with how long it took.
  func timed(_ response: Response, _ head: RequestHead) -> Response {
    ServerTiming.add(total: server.loop.nanoseconds() - head.parsed, to: response)
  }

  private func send(_ response: Response, to head: RequestHead) {
    let encoder = beginAnswer(response, to: head)
    write { encoder.write(response, date: server.date, into: &$0) }
  }

  /// Counts it, and decides whether it is the last.
  func beginAnswer(_ response: Response, to head: RequestHead) -> ResponseEncoder {
    server.count(response.status)
    if response.closes || server.isDraining { flags.insert(.lastAnswer) }
    return ResponseEncoder(
      method: head.method, minorVersion: head.minorVersion, keepsAlive: !flags.contains(.lastAnswer))
  }

  /// A handler's answer has been sent, be it before its body's end.
  func didSendAnswer(_ exchange: HTTPExchange) {
    if state == .uploading && !flags.contains(.lastAnswer) { discardBody(of: exchange) } else { didAnswer() }
    resumeLater()
  }

  func didAnswer() {
    let reason = exchange?.closeReason ?? .ended
    exchange = nil
    // A server that stops may have begun to after the answer's head had left.
    if flags.contains(.lastAnswer) || server.isDraining { return finish(reason) }
    state = .idle
    setDeadline(after: server.limits.idleTimeout)
  }

  func fail(_ error: HTTPError, to head: RequestHead? = nil) { fail(error.status, error.reason, to: head) }

  /// Answers a request that cannot be understood, or not be waited for; what follows it has no meaning.
  /// - Parameter head: the request's, where it is known; HEAD is answered without content even then.
  func fail(_ status: Status, _ reason: String, to head: RequestHead? = nil) {
    flags.insert(.lastAnswer)
    // One answer a request: where it has left already, only the rest of the body was under way.
    if exchange?.isAnswered != true {
      respond(server.refusal(status, reason, []), to: head ?? exchange?.head ?? RequestHead())
    }
    finish(status == .requestTimeout ? .timedOut : .protocolError)
  }
}

private let retryAfterASecond = Response.Field("retry-after", "1")
