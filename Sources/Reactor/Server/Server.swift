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
  private(set) var router: Router
  let refusal: (Status, String, [Response.Field]) -> Response

  /// The loop's one receive buffer: a connection has none of its own while nothing of its waits.
  let receiveBuffer: UnsafeMutableRawBufferPointer
  /// Where one decompressed message lies while its handler has it; one byte more than it may have.
  private(set) lazy var inflateBuffer = InflateBuffer(limits.messageBytes + 1)
  private let gatherBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  var outbox = Outbox()
  /// Connections with something in the outbox.
  var dirty = TickList<Unmanaged<Connection>>()
  /// The head under parse; its storage serves all connections in turn.
  var head = RequestHead()
  private var dateCache = DateCache()
  /// For handlers, too, that gather a body which they pull.
  public let bodyBudget: BodyBudget
  /// By number, so that a connection names its own by one byte. The routes keep them.
  private(set) var handlers: [Unmanaged<WebSocketHandler>] = []
  var listeners: [Listener] = []
  private var handshakesLeft: Int
  private var exchanges: UInt32 = 0

  public internal(set) var connectionCount = 0
  /// Of all time.
  public internal(set) var openedCount: UInt64 = 0
  /// How many answers there were of each class of status, 1xx first.
  public private(set) var answerCounts = [UInt64](repeating: 0, count: 5)
  /// How many connections ended for each reason, by `CloseReason.rawValue`.
  public private(set) var closeCounts = [UInt64](repeating: 0, count: CloseReason.allCases.count)
  var isDraining = false
  var drained: (() -> Void)?

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
    receiveBuffer.deallocate()
    gatherBuffer.deallocate()
  }

  // MARK: Routes

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
    if case .webSocket(let handler) = endpoint, index(of: handler) == nil {
      handlers.append(.passUnretained(handler))
    }
  }

  /// Forgets all connections, all routes and what the loop has still been told to do: each may keep the server, which keeps
  /// them. After this it answers nobody.
  public func forgetAll() {
    forEachConnection { $0.abandon() }
    dirty.removeAll()
    router = Router(bodyLimit: limits.bodyBytes, refusal: refusal)
    handlers = []
    loop.forgetAll()
  }

  // MARK: The end of a tick

  private func endTick() {
    // A closure would be a call for each.
    @inline(__always) func flush(_ connection: Connection) { connection.flushShort() }
    var next = 0
    while next < dirty.count {
      dirty[next]._withUnsafeGuaranteedRef(flush)
      next += 1
    }
    dirty.removeAll()
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

  // MARK: For connections

  func didClose(_ connection: Connection) {
    connectionCount -= 1
    loop.retire(connection)
  }

  func count(_ status: Status) { answerCounts[min(max(Int(status.rawValue) / 100, 1), 5) - 1] += 1 }

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
