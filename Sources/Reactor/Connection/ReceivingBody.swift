extension Connection {
  func awaitBody() {
    state = .body
    setDeadline(after: server.limits.bodyTimeout)
  }

  /// The request is answered; the rest of its body is thrown away, so that the next request can be read.
  func discardBody(of exchange: HTTPExchange) {
    exchange.isAnswered = true
    awaitBody()
  }

  /// Takes some of a body. Returns the bytes used; 0 asks for more.
  func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let exchange else { return 0 }
    // The handler is woken once for all that came together.
    defer { exchange.intake?.wake() }
    var taken = 0
    setDeadline(after: server.limits.bodyTimeout)
    do {
      while true {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        switch try exchange.decoder.next(rest) {
        case .needMore(let consumed): return taken + consumed
        case .data(let range, let consumed):
          guard exchange.take(UnsafeRawBufferPointer(rebasing: rest[range])) else {
            fail(.serviceUnavailable, "The server is busy.")
            return bytes.count
          }
          taken += consumed
        case .end(let consumed):
          didTakeBody(exchange)
          return taken + consumed
        }
      }
    } catch {
      if state == .uploading { failBody(RequestBodyError(error), .protocolError) } else { fail(error) }
      return bytes.count
    }
  }

  private func didTakeBody(_ exchange: HTTPExchange) {
    if state == .uploading {
      exchange.intake?.end()
      state = .answering
    } else if exchange.isAnswered {
      didAnswer()
    } else if let refusal = refusalNow(of: exchange) {
      respond(refusal, to: exchange.head)
      didAnswer()
    } else {
      run(exchange)
    }
  }

  /// Asks the gate once more: what it let in at its head may have lost the right while the body was on its way, and a client
  /// can make that as long as it likes.
  private func refusalNow(of exchange: HTTPExchange) -> Response? {
    guard let gate = exchange.match.route.gate else { return nil }
    return exchange.headBytes.withUnsafeBytes { headBytes in
      let view = RequestView(
        head: exchange.head, headBytes: headBytes, body: UnsafeRawBufferPointer(start: nil, count: 0),
        parameters: exchange.match.parameters, context: nil, socket: fd)
      guard case .refuse(let response) = gate(view) else { return nil }
      return response
    }
  }

  // MARK: Bodies that their handlers pull

  func startUpload(
    _ exchange: HTTPExchange, _ handler: @escaping @Sendable (Request, RequestBody) async -> Response
  ) {
    let intake = BodyIntake(connection: self, window: server.limits.bodyWindow)
    exchange.intake = intake
    if exchange.head.framing == .none {
      intake.end()
    } else {
      state = .uploading
      setDeadline(after: server.limits.bodyTimeout)
    }
    let responder = responder(for: exchange)
    let request = Request(exchange)
    let body = RequestBody(intake)
    Task(executorPreference: server.loop.executor) { responder.answer(await handler(request, body)) }
  }

  /// The handler has made room. The client's time begins anew: until now it could not go on.
  func bodyHasRoom() {
    guard state == .uploading else { return }
    setDeadline(after: server.limits.bodyTimeout)
    resumeLater()
  }

  /// The rest of a body that is pulled will not be had: the next pull throws, and the handler's answer is the last.
  func failBody(_ error: RequestBodyError, _ reason: CloseReason) {
    flags.insert(.lastAnswer)
    state = .answering
    exchange?.closeReason = reason
    exchange?.intake?.fail(error)
  }

  /// The answer of a handler is there: it pulls no more. If the rest of the body is long, or its length unknown and then
  /// long, the connection ends instead of reading it.
  func stopUpload(_ exchange: HTTPExchange) {
    exchange.intake?.abandon()
    guard state == .uploading else { return }
    guard !exchange.decoder.limitRest(to: server.limits.bodyBytes) else { return }
    flags.insert(.lastAnswer)
    state = .answering
  }
}
