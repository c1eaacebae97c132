import CLinux

/// A client of one HTTP server, for load tests, probes and simulated devices: connections are kept and used again, with one
/// request in flight on each. It belongs to its loop, as all its calls do.
///
/// Nothing is sent a second time. A request that meets a connection just ended by the server fails with
/// `connectionClosed`; whether it may be repeated only its sender knows (RFC 9110 §9.2.2).
public final class HTTPClient {
  public typealias Completion = (Result<HTTPClientResponse, HTTPClientError>) -> Void

  public struct Limits: Sendable {
    /// Connections at once, and so requests in flight; one more fails with `busy`.
    public var connections = 256
    /// An answer's content; more fails with `invalidResponse`.
    public var contentBytes = 16 << 20
    /// From `send` to the whole answer, in milliseconds: connecting included.
    public var timeout: UInt64 = 30_000

    public init() {}
  }

  let side: ClientSide
  let limits: Limits
  let responseLimits: ResponseLimits
  /// The server's host and port as the `host` field says them.
  let authority: String
  private let host: String
  private let port: String
  private var connections: [ObjectIdentifier: HTTPClientConnection] = [:]
  private var idle: [HTTPClientConnection] = []

  /// - Parameter host: a name or a numeric address. A name is looked up at each new connection, which blocks.
  public init(loop: EventLoop, host: String, port: UInt16, limits: Limits = Limits()) {
    side = ClientSide(loop: loop)
    self.host = host
    self.port = String(port)
    self.limits = limits
    responseLimits = ResponseLimits(contentBytes: limits.contentBytes)
    // RFC 3986 §3.2.2: an IPv6 address stands in brackets.
    authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  deinit { close() }

  public var connectionCount: Int { connections.count }

  /// Sends a request. `completion` is called once, on the loop; at once if nothing could be sent.
  public func send(_ request: HTTPClientRequest, _ completion: @escaping Completion) {
    guard RequestEncoder.canWrite(request) else { return completion(.failure(.invalidRequest)) }
    do throws(HTTPClientError) {
      try freeConnection().send(request, for: self, completion)
    } catch {
      completion(.failure(error))
    }
  }

  /// The same for a task on the loop.
  public func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    try await withCheckedContinuation { continuation in
      send(request) { continuation.resume(returning: $0) }
    }.get()
  }

  /// Ends all connections. Requests in flight fail with `cancelled`.
  public func close() {
    for connection in Array(connections.values) { connection.close(.closed) }
  }

  private func freeConnection() throws(HTTPClientError) -> HTTPClientConnection {
    if let connection = idle.popLast() { return connection }
    guard connections.count < limits.connections else { throw .busy }
    let fd = linux_connect(nil, host, port)
    if fd < 0 { throw .cannotConnect(SystemError("connect").reason) }
    let connection = HTTPClientConnection(fd: fd, client: self)
    do { try connection.start() } catch { throw .cannotConnect(error.reason) }
    connections[ObjectIdentifier(connection)] = connection
    return connection
  }

  // MARK: For connections

  func becameIdle(_ connection: HTTPClientConnection) { idle.append(connection) }

  func didClose(_ connection: HTTPClientConnection) {
    connections[ObjectIdentifier(connection)] = nil
    idle.removeAll { $0 === connection }
  }
}
