/// The right to answer one request, once, from any thread. An answer for a connection that has gone is dropped.
public struct Responder: Sendable {
  let server: Server.Reference
  let connection: SourceID
  let exchange: UInt32

  public func answer(_ response: Response) {
    if server.loop.isHere { return deliver(response) }
    server.mailbox.post { deliver(response) }
  }

  private func deliver(_ response: Response) {
    (server.loop.value.source(connection) as? Connection)?.deliver(response, exchange: exchange)
  }
}
