extension Server {
  /// Listens; port 0 takes a free one. Returns the port.
  /// - Parameter tls: nil for plain HTTP.
  @discardableResult
  public func listen(host: String, port: UInt16, tls: TLSContext? = nil) throws(SystemError) -> UInt16 {
    tls?.plainAnswer = { [unowned self] in encode(refusal(.badRequest, "This port speaks HTTPS.", [])) }
    let listener = try Listener(
      host: host, port: port, backlog: limits.backlog, burst: limits.acceptsPerTick
    ) { [unowned self] in accepted($0, tls) }
    try listener.start(on: loop)
    listeners.append(listener)
    return listener.port
  }

  private func accepted(_ fd: Int32, _ tls: TLSContext?) {
    guard connectionCount < limits.connections else { return refuseConnection(fd, tls) }
    let transport = tls.flatMap { TLSTransport($0, now: loop.now) }
    if tls != nil && transport == nil { return SocketIO.close(fd) }
    let connection = Connection(fd: fd, transport: transport, server: self)
    do {
      try loop.add(connection, fd: fd, for: [.readable, .writable, .hungUp, .edge])
    } catch {
      SocketIO.close(fd)
      return
    }
    didOpen(connection)
  }

  /// Serves a connection whose readiness is told by its transport's owner and not by epoll: for simulations.
  func serve(_ transport: Transport) throws(SystemError) -> Connection {
    let connection = Connection(fd: -1, transport: transport, server: self)
    try loop.add(connection)
    didOpen(connection)
    return connection
  }

  private func didOpen(_ connection: Connection) {
    connectionCount += 1
    openedCount += 1
    connection.setDeadline(after: limits.headerTimeout)
  }

  /// Over the limit: a 503 that fits any socket's empty send buffer, then the end. It is not worth a TLS handshake.
  private func refuseConnection(_ fd: Int32, _ tls: TLSContext?) {
    if tls == nil {
      let answer = encode(
        refusal(
          .serviceUnavailable, "There are as many connections as there may be.",
          [Response.Field("retry-after", "1")]))
      _ = answer.withUnsafeBytes { SocketIO.write(fd, $0) }
      SocketIO.shutdownWrite(fd)
    }
    SocketIO.close(fd)
  }

  private func encode(_ answer: Response) -> [UInt8] {
    var bytes: [UInt8] = []
    ResponseEncoder.refusal.write(answer, date: date, into: &bytes)
    return bytes
  }
}
