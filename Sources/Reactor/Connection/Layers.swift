/// What stands between a connection's socket and its messages, where anything does. Few connections have it, so it is one
/// reference in each.
final class Layers {
  let transport: Transport?
  var compression: MessageCompression?

  init(transport: Transport? = nil) { self.transport = transport }
}

extension Connection {
  /// nil for the bare socket.
  var transport: Transport? { layers?.transport }

  /// nil without permessage-deflate.
  var compression: MessageCompression? { layers?.compression }
}
