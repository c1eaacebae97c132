import Glibc

/// The client's end of one HTTP connection: one request at a time.
final class HTTPClientConnection: ClientSocket {
  /// One request on its way.
  private final class Exchange {
    var parser: ResponseParser
    var headBytes: [UInt8] = []
    var body: [UInt8] = []
    let completion: HTTPClient.Completion

    init(parser: ResponseParser, completion: @escaping HTTPClient.Completion) {
      self.parser = parser
      self.completion = completion
    }

    var response: HTTPClientResponse {
      HTTPClientResponse(head: parser.head, headBytes: headBytes, body: body)
    }
  }

  /// Nil once nobody uses the client any more, which ends its connections.
  private weak var client: HTTPClient?
  private var exchange: Exchange?
  /// Why we end the connection, if the answer's time or form is the reason.
  private var failure: HTTPClientError?

  init(fd: Int32, client: HTTPClient) {
    self.client = client
    super.init(fd: fd, side: client.side)
  }

  func send(
    _ request: HTTPClientRequest, for client: HTTPClient, _ completion: @escaping HTTPClient.Completion
  ) {
    exchange = Exchange(
      parser: ResponseParser(answering: request.method, limits: client.responseLimits), completion: completion
    )
    var bytes: [UInt8] = []
    RequestEncoder.write(request, host: client.authority, into: &bytes)
    // The kernel refuses it until the connection stands, and then it leaves from the backlog.
    bytes.withUnsafeBytes { append(side.outbox.store($0)) }
    side.loop.setTimer(of: self, at: side.loop.now + client.limits.timeout)
  }

  override func timerFired() { fail(.timedOut) }

  private func fail(_ error: HTTPClientError) {
    failure = error
    close(.closed)
  }

  // MARK: Receiving

  override func process(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    guard let exchange else {
      // Nobody has asked: it must not be taken for the next request's answer.
      close(.closed)
      return bytes.count
    }
    do {
      return try take(UnsafeRawBufferPointer(bytes), exchange)
    } catch {
      fail(.invalidResponse(error.reason))
      return bytes.count
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, _ exchange: Exchange) throws(HTTPError) -> Int {
    var taken = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
      switch try exchange.parser.next(rest) {
      case .needMore(let consumed): return taken + consumed
      case .interim(let consumed): taken += consumed
      case .head(let consumed):
        exchange.headBytes = [UInt8](rest[..<consumed])
        taken += consumed
      case .content(let range, let consumed):
        exchange.body.append(contentsOf: rest[range])
        taken += consumed
      case .end(let consumed):
        // What comes behind an answer was not asked for.
        complete(exchange, mayStay: exchange.parser.head.keepAlive && taken + consumed == bytes.count)
        return bytes.count
      }
    }
  }

  private func complete(_ exchange: Exchange, mayStay: Bool) {
    self.exchange = nil
    side.loop.cancelTimer(of: self)
    // First the connection, then the news: the next request can have it.
    if mayStay { client?.becameIdle(self) } else { close(.closed) }
    exchange.completion(.success(exchange.response))
  }

  override func didClose(_ end: End) {
    client?.didClose(self)
    guard let exchange else { return }
    self.exchange = nil
    if end == .ended && exchange.parser.endsWithConnection {
      exchange.completion(.success(exchange.response))
    } else {
      exchange.completion(.failure(failure ?? error(of: end)))
    }
  }

  private func error(of end: End) -> HTTPClientError {
    switch end {
    case .failed(let code) where !hasSent: .cannotConnect(String(cString: strerror(code)))
    case .ended, .failed: .connectionClosed
    case .closed: .cancelled
    }
  }
}
