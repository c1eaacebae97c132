import CLinux
import Glibc

/// A server on an event loop: listeners, connections, routes and sockets. The public face of the reactor.
///
/// All calls belong on the loop's thread; other threads answer through a `Responder` or post to the loop's mailbox.
public final class Server {
  public let loop: EventLoop
  public let limits: Limits
  let headLimits: HeadLimits
  let messageLimits: MessageLimits
  let router: Router
  let refusal: (Status, String, [Response.Field]) -> Response

  /// The loop's one receive buffer: a connection has none of its own while nothing of its waits.
  let receiveBuffer: UnsafeMutableRawBufferPointer
  /// Where one decompressed message lies while its handler has it; one byte more than it may have.
  private(set) lazy var inflateBuffer = InflateBuffer(limits.messageBytes + 1)
  private let gatherBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  var outbox = Outbox()
  /// Connections with something in the outbox.
  var dirty: [Unmanaged<Connection>] = []
  /// The head under parse; its storage serves all connections in turn.
  var head = RequestHead()
  private var dateCache = DateCache()
  /// For handlers, too, that gather a body which they pull.
  public let bodyBudget: BodyBudget
  private(set) var handlers: [any WebSocketHandler] = []
  private var listeners: [Listener] = []
  private var handshakesLeft: Int
  private var exchanges: UInt32 = 0

  public private(set) var connectionCount = 0
  /// How many connections ended for each reason, by `CloseReason.rawValue`.
  public private(set) var closeCounts = [UInt64](repeating: 0, count: CloseReason.allCases.count)
  private(set) var isDraining = false
  private var drained: (() -> Void)?

  /// What lets other threads find a connection. It leads to the loop and not to the server, which keeps it: the two would
  /// keep each other for ever.
  struct Reference: Sendable {
    let loop: LoopBound<EventLoop>
    let mailbox: Mailbox
  }
  let reference: Reference

  /// - Parameter refusal: makes the answer to what the reactor itself refuses: status, a sentence, fields that
  ///   the answer must carry.
  public init(
    loop: EventLoop, limits: Limits = Limits(),
    refusal: @escaping (Status, String, [Response.Field]) -> Response
  ) {
    self.loop = loop
    reference = Reference(loop: LoopBound(loop), mailbox: loop.mailbox)
    self.limits = limits
    self.refusal = refusal
    headLimits = limits.headLimits
    messageLimits = limits.messageLimits
    handshakesLeft = limits.handshakesPerTick
    bodyBudget = BodyBudget(limit: limits.bodyMemory)
    router = Router(bodyLimit: limits.bodyBytes, refusal: refusal)
    receiveBuffer = .allocate(byteCount: limits.receiveBytes, alignment: 16)
    loop.atEndOfTick { [unowned self] in endTick() }
  }

  deinit {
    outbox.freeAll()
    receiveBuffer.deallocate()
    gatherBuffer.deallocate()
  }

  // MARK: Routes and listeners

  /// Adds a route, before the server listens.
  /// - Parameters:
  ///   - path: such as `/users/{id}`.
  ///   - gate: looks at the head before the body is read.
  ///   - bodyLimit: bytes; the server's own limit if nil.
  public func route(
    _ method: Method, _ path: String, gate: Gate? = nil, bodyLimit: Int? = nil, _ endpoint: Endpoint
  ) {
    router.add(
      method, path, Router.Route(endpoint: endpoint, gate: gate, bodyLimit: bodyLimit ?? limits.bodyBytes))
    if case .webSocket(let handler) = endpoint, !handlers.contains(where: { $0 === handler }) {
      handlers.append(handler)
    }
  }

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

  // MARK: WebSockets

  /// Builds a text frame once, to be sent to any number of sockets in this tick.
  public func frame(text: UnsafeRawBufferPointer) -> WebSocketFrame {
    WebSocketFrame(bytes: outbox.frame(.text, text), tick: outbox.tick)
  }

  public func frame(binary: UnsafeRawBufferPointer) -> WebSocketFrame {
    WebSocketFrame(bytes: outbox.frame(.binary, binary), tick: outbox.tick)
  }

  public func send(_ frame: WebSocketFrame, to socket: WebSocketID) {
    precondition(frame.tick == outbox.tick, "a frame lives for one tick")
    connection(socket)?.sendMessage(frame.bytes)
  }

  public func send(text: UnsafeRawBufferPointer, to socket: WebSocketID) {
    send(frame(text: text), to: socket)
  }

  /// Begins the closing handshake. The handler's `closed` is called at once.
  public func close(_ socket: WebSocketID, _ code: CloseCode, _ reason: String) {
    connection(socket)?.startClosing(code, reason, .application)
  }

  /// Calls the handler's `deadline` once, so many milliseconds from now; nil cancels.
  public func setDeadline(_ socket: WebSocketID, after milliseconds: UInt64?) {
    guard let connection = connection(socket) else { return }
    connection.applicationDeadline = milliseconds.map { max(1, ticks(after: $0)) } ?? 0
    connection.armTimer()
  }

  /// Counts a request of that peer's that a worker has taken: a peer that asks faster than it is answered is not read
  /// from meanwhile. Each is ended by `endWork`.
  public func beginWork(_ socket: WebSocketID) { connection(socket)?.workUnderWay += 1 }

  public func endWork(_ socket: WebSocketID) {
    guard let connection = connection(socket) else { return }
    connection.workUnderWay -= 1
    connection.resumeLater()
  }

  /// Reads nothing more from that peer until `resumeReading`: what it asks next may depend on what is under way.
  public func pauseReading(_ socket: WebSocketID) {
    connection(socket)?.workUnderWay += limits.workPerSocket
  }

  public func resumeReading(_ socket: WebSocketID) {
    guard let connection = connection(socket) else { return }
    connection.workUnderWay -= limits.workPerSocket
    connection.resumeLater()
  }

  /// Whether more waits for that peer than should: what can wait elsewhere is better not sent now.
  public func isBehind(_ socket: WebSocketID) -> Bool { connection(socket)?.isBehind ?? false }

  /// The bytes that wait for that peer.
  public func unsentBytes(_ socket: WebSocketID) -> Int { connection(socket)?.unsentBytes ?? 0 }

  private func connection(_ socket: WebSocketID) -> Connection? {
    guard let source = loop.source(socket.source) else { return nil }
    // Only connections are given a WebSocketID.
    return unsafeDowncast(source, to: Connection.self)
  }

  func index(of handler: any WebSocketHandler) -> UInt8 {
    UInt8(handlers.firstIndex { $0 === handler } ?? 0)
  }

  // MARK: The end of a tick

  private func endTick() {
    var next = 0
    while next < dirty.count {
      dirty[next]._withUnsafeGuaranteedRef { $0.flush() }
      next += 1
    }
    dirty.removeAll(keepingCapacity: dirty.count <= 65_536)
    handshakesLeft = limits.handshakesPerTick
    outbox.reset()
    if isDraining && connectionCount == 0 { endDrain() }
  }

  /// What the next call sends of a chain: a piece as it lies, or small pieces side by side.
  func gather(_ piece: inout Int32) -> UnsafeRawBufferPointer {
    let first = outbox[piece]
    piece = first.next
    if piece == Outbox.none || first.count > gatherBuffer.count / 2 {
      return UnsafeRawBufferPointer(start: first.start, count: first.count)
    }
    gatherBuffer.baseAddress!.copyMemory(from: first.start, byteCount: first.count)
    var filled = first.count
    while piece != Outbox.none, case let next = outbox[piece], filled + next.count <= gatherBuffer.count {
      (gatherBuffer.baseAddress! + filled).copyMemory(from: next.start, byteCount: next.count)
      filled += next.count
      piece = next.next
    }
    return UnsafeRawBufferPointer(start: gatherBuffer.baseAddress, count: filled)
  }

  // MARK: Draining

  /// Stops in good order: accepts no more, and ends each HTTP connection with the answer that it is owed. WebSockets
  /// stay until `closeWebSockets`. What is left after `milliseconds` is closed.
  /// - Parameter completed: called once, when the last connection has gone.
  public func drain(within milliseconds: UInt64, _ completed: @escaping () -> Void) {
    guard !isDraining else { return }
    isDraining = true
    drained = completed
    for listener in listeners { loop.retire(listener) }
    listeners = []
    // An idle connection may have a request on its way, such as a balancer's look at readiness: it has a moment.
    forEachConnection { if $0.state == .idle { $0.setDeadline(after: limits.drainIdle) } }
    let timer = LoopTimer { [unowned self] in
      forEachConnection { $0.close(.shutdown) }
      endDrain()
    }
    do { try loop.add(timer) } catch { return endDrain() }
    loop.setTimer(of: timer, at: loop.now + milliseconds)
  }

  /// Begins the closing handshake of every WebSocket, with 1001.
  public func closeWebSockets() {
    forEachConnection { $0.startClosing(.goingAway, "The server stops.", .shutdown) }
  }

  private func forEachConnection(_ body: (Connection) -> Void) {
    loop.forEachSource { if let connection = $0 as? Connection { body(connection) } }
  }

  private func endDrain() {
    drained?()
    drained = nil
  }

  // MARK: For connections

  func didClose(_ connection: Connection) {
    connectionCount -= 1
    loop.retire(connection)
  }

  func count(_ reason: CloseReason) { closeCounts[Int(reason.rawValue)] += 1 }

  /// False if this tick has computed enough.
  func takeHandshakeTurn() -> Bool {
    guard handshakesLeft > 0 else { return false }
    handshakesLeft -= 1
    return true
  }

  func nextExchange() -> UInt32 {
    exchanges &+= 1
    return exchanges
  }

  func ticks(after milliseconds: UInt64) -> UInt32 {
    loop.tickNow
      &+ UInt32(
        clamping: (milliseconds + TimerWheel.millisecondsPerTick - 1) / TimerWheel.millisecondsPerTick) &+ 1
  }

  /// The `Date` field's value, rendered once a second.
  var date: HTTPDate { dateCache.value(at: loop.now) }
}
