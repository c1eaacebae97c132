/// Names one open WebSocket. When it has gone, what is sent to its id goes nowhere.
public struct WebSocketID: Hashable, Sendable {
  let source: SourceID
  init(_ source: SourceID) { self.source = source }

  /// Names it among all sockets of this run of the program.
  public var text: String { String(source.raw, radix: 36) }
  /// Small and dense, and used again: the place in an application's own table of sockets.
  public var slot: Int { source.slot }
}

/// A WebSocket frame that lies in the outbox, ready for any number of sockets, until the end of this tick.
public struct WebSocketFrame {
  let bytes: UnsafeRawBufferPointer
  let tick: UInt64
}
