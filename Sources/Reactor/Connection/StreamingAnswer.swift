extension Connection {
  /// Sends the head, and lets the producer write the content. Until it has, the answer is under way.
  func startStream(_ produce: @escaping Response.Producer, of response: Response, _ exchange: HTTPExchange) {
    let head = exchange.head
    let response = head.prefersServerTiming ? timed(response, head) : response
    let isChunked = head.minorVersion > 0
    if !isChunked { flags.insert(.lastAnswer) }
    let encoder = beginAnswer(response, to: head)
    write { encoder.writeHead(of: response, isStreamed: true, date: server.date, into: &$0) }
    guard encoder.sendsContent(of: response) else { return didSendAnswer(exchange) }
    let stream = AnswerStream(connection: self, isChunked: isChunked)
    exchange.stream = stream
    let writer = ResponseWriter(stream)
    Task(executorPreference: server.loop.executor) {
      do {
        try await produce(writer)
        writer.end()
      } catch {
        writer.fail()
      }
    }
  }

  /// More waits for the peer than should.
  @inline(__always)
  var isBehind: Bool { unsentBytes > server.limits.highWater }

  func didStream() {
    guard let exchange else { return }
    didSendAnswer(exchange)
  }

  /// Ends the connection so that the client sees that the content is not whole (RFC 9112 §8): without the last chunk, or,
  /// where the connection's end would be the content's, with a reset.
  func breakStream(isChunked: Bool) {
    exchange = nil
    if isChunked { return finish(.application) }
    resetSocketOnClose()
    close(.application)
  }
}
