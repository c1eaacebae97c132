/// Where a streamed answer's producer writes (`Response.stream`). It belongs to the loop, and to that answer: once the producer
/// has returned, it writes nothing.
public struct ResponseWriter: Sendable {
  private let stream: LoopBound<AnswerStream>

  init(_ stream: AnswerStream) { self.stream = LoopBound(stream) }

  /// Sends some of the content. Returns when no more than `Limits.highWater` waits to be sent, so a producer is never far
  /// ahead of its client.
  /// - Throws: if the connection has gone, because the client has or because it took nothing for `Limits.sendTimeout`.
  public func write(_ bytes: [UInt8]) async throws(ConnectionClosed) { try await stream.value.write(bytes) }

  func end() { stream.value.end() }
  func fail() { stream.value.fail() }
}

/// There is nobody left to write to.
public struct ConnectionClosed: Error, Sendable {}
