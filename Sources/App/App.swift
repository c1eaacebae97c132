import Glibc
import Logging
import Reactor

/// What the program stands on. A simulation puts its own time in the clock's place, does the threads' work by hand, and lets
/// little wait.
struct Surroundings {
  var clock: () -> UInt64 = EventLoop.monotonicNanoseconds
  var workers = WorkerMode.thread
  var hub: Hub.Limits?
  var longLog = Checkpointer.longLog
}

/// The whole program, put together: store, writer, loop, hub and routes.
public final class App {
  let loop: EventLoop
  let server: Server
  let hub: Hub
  private let indexer: SearchIndexer
  let writer: Writer
  let readers: WorkerQueue
  private let cpu: WorkerQueue
  private let configuration: Configuration
  private var tls: TLSContext?
  private let log = Logger(label: "wattloop")
  private(set) var isReady = false

  /// Serves until SIGTERM or SIGINT, and has drained when it returns.
  /// - Throws: `ExitFailure` if it cannot listen.
  public static func run(
    _ configuration: Configuration, store: Store, key: SigningKey, passwords: PasswordHasher,
    tls: TLSContext? = nil, withDemoMeters: Bool = false
  ) throws {
    let app = try App(configuration, store: store, key: key, passwords: passwords)
    app.tls = tls
    let feed = MeterFeed(loop: app.loop, writer: app.writer)
    if withDemoMeters { try feed.start() }
    try app.run()
    withExtendedLifetime(feed) {}
  }

  init(
    _ configuration: Configuration, store: Store, key: SigningKey, passwords: PasswordHasher,
    surroundings: Surroundings = Surroundings()
  ) throws {
    self.configuration = configuration
    loop = try EventLoop(clock: surroundings.clock)
    server = Server(loop: loop, limits: Limits(configuration)) { status, detail, fields in
      var problem = Problem(ProblemKind(status: status), detail: detail)
      problem.fields = fields
      return problem.response
    }
    readers = WorkerQueue(name: "reader", mode: surroundings.workers)
    cpu = WorkerQueue(name: "cpu", limit: 256, mode: surroundings.workers)
    let committed = Committed(loop)
    let writer = Writer(
      store: store, mode: surroundings.workers, longLog: surroundings.longLog,
      committed: { committed.deliver($0) }, announced: { committed.deliver($0) })
    self.writer = writer
    let hub = Hub(
      server: server, epoch: store.epoch, position: try store.read(Positions.last),
      limits: surroundings.hub ?? Hub.Limits(configuration), submit: { writer.submit($0) })
    self.hub = hub
    try hub.serve(from: store, readers: readers, watched: writer.watched)
    indexer = SearchIndexer(loop: loop, writer: writer)
    hub.stored = { [unowned indexer] in indexer.noticed($0) }
    committed.target.value.hub = hub
    let devices = ObjectView<ShownDevice>(.device, store: store, readers: readers, mailbox: loop.mailbox)
    let users = ObjectView<ShownUser>(.user, store: store, readers: readers, mailbox: loop.mailbox)
    committed.target.value.devices = devices
    committed.target.value.users = users
    let verifier = TokenVerifier(key: key, revocations: try store.read { try Revocations($0) })
    committed.target.value.verifier = verifier
    let services = Services(
      store: store, writer: writer, readers: readers, cpu: cpu, passwords: passwords,
      tokens: TokenIssuer(key: key, lifetime: configuration.accessTTL),
      refreshTokens: RefreshTokens(
        lifetime: Int64(configuration.refreshTTL.milliseconds),
        accessLifetime: Int64(configuration.accessTTL.milliseconds)),
      limiter: configuration.rateLimit == .on ? LoginLimiter() : nil)
    Routes(
      services: services, hub: hub, verifier: verifier,
      sockets: ChatSocket(
        server: server, hub: hub, verifier: verifier, store: store, readers: readers,
        allowedOrigins: configuration.allowOrigin),
      keySet: KeySetRoute(key), devices: devices, users: users,
      deviceKeys: DeviceKeyRoutes(services: services, signingKey: key),
      measurementBytes: configuration.maxMeasurements,
      metrics: MetricsRoute(server: server, hub: hub, writer: writer), isReady: { [unowned self] in isReady }
    ).add(to: server)
    loop.firstAtEndOfTick { [unowned hub] in hub.noticeParsed() }
    loop.atEndOfTick { [unowned hub] in
      hub.noticeWritten()
      hub.handOver()
    }
    try indexer.start()
  }

  deinit { server.forgetAll() }

  private func run() throws {
    DescriptorLimit.raise()
    let signals = try SignalSource { [unowned self] signal in
      switch signal {
      case SIGHUP: reloadCertificate()
      default: drain()
      }
    }
    try signals.start(on: loop)
    let port = try listen()
    isReady = true
    log.notice("listening on \(configuration.host):\(port)")
    loop.run()
    closeWorkers()
    let closed = zip(CloseReason.allCases, server.closeCounts).map { ("\($0)", "\($1)") }
    log.notice("stopped", metadata: .init(uniqueKeysWithValues: closed.map { ($0, .string($1)) }))
  }

  /// Finishes what waits for the threads.
  func closeWorkers() {
    writer.close()
    readers.close()
    cpu.close()
  }

  private func listen() throws -> UInt16 {
    do throws(SystemError) {
      return try server.listen(host: configuration.host, port: configuration.port, tls: tls)
    } catch {
      throw ExitFailure.unavailable(
        "cannot listen on \(configuration.host):\(configuration.port): \(error.reason)")
    }
  }

  /// Connections stay as they are, and so does the certificate if the new one cannot be used.
  private func reloadCertificate() {
    guard let old = tls?.certificate else { return }
    let app = LoopBound(self)
    let mailbox = loop.mailbox
    let taken = cpu.submit {
      let new = Result { () throws(TLSFailure) in try old.readAnew() }
      mailbox.post { app.value.use(new) }
    }
    if !taken { log.error("the certificate stays as it was: the server is busy") }
  }

  private func use(_ new: Result<TLSCertificate, TLSFailure>) {
    switch new {
    case .success(let certificate):
      tls?.certificate = certificate
      log.notice("the certificate was read anew")
    case .failure(let failure):
      log.error("the certificate stays as it was", metadata: ["error": "\(failure)"])
    }
  }

  /// In this order: no new connections; no new messages, and those that were taken are stored and answered; then
  /// connections end, each after what it still has to send.
  private func drain() {
    guard isReady else { return }
    isReady = false
    log.notice("draining", metadata: ["connections": "\(server.connectionCount)"])
    let time = configuration.drain.milliseconds
    server.drain(within: time) { [unowned self] in loop.stop() }
    hub.drain { [unowned self] in server.closeWebSockets() }
  }
}

/// Brings what is on disk from the writer's thread to the loop.
private final class Committed: Sendable {
  /// Filled once, on the loop, when they exist; read there only. Weak, since the hub keeps the writer, which keeps this.
  final class Target {
    weak var hub: Hub?
    weak var devices: ObjectView<ShownDevice>?
    weak var users: ObjectView<ShownUser>?
    weak var verifier: TokenVerifier?
  }
  let target: LoopBound<Target>
  private let mailbox: Mailbox

  init(_ loop: EventLoop) {
    target = LoopBound(Target())
    mailbox = loop.mailbox
  }

  func deliver(_ batch: PublishBatch) {
    let target = target
    mailbox.post { target.value.hub?.didCommit(batch) }
  }

  func deliver(_ announcements: [Announcement]) {
    let target = target
    mailbox.post {
      for announcement in announcements { target.value.hear(announcement) }
    }
  }
}

extension Committed.Target {
  func hear(_ announcement: Announcement) {
    switch announcement {
    case .message(let message): hub?.tell(message)
    case .alert(let event): hub?.tell(event)
    case .conversation(let event): hub?.tell(event)
    case .changed(let effect, let members): hub?.tell(effect, members, except: nil)
    case .consumption(let device, let bucket): hub?.tell(bucket, of: device)
    case .deviceChanged(let id):
      devices?.forget(id)
      hub?.watches?.deviceChanged(id)
    case .userChanged(let id): users?.forget(id)
    case .sessionEnded(let session, let user, let until):
      verifier?.end(session: session, of: user, until: until)
      hub?.close(user, session: session, .tokenRevoked, "The session has ended.")
    case .tokensRevoked(let user, let version, let revocation):
      verifier?.revoke(user, below: version)
      hub?.close(user, revocation.closeCode, revocation.reason)
    }
  }
}

extension Limits {
  init(_ configuration: Configuration) {
    self.init()
    headBytes = configuration.maxHeader
    bodyBytes = configuration.maxBody
    messageBytes = configuration.maxMessage
    sendBuffer = configuration.sendBuffer
    // What is sent piece by piece stops well below the end of the buffer.
    highWater = min(highWater, sendBuffer / 4)
    connections = configuration.maxConnections
    deflateConnections = configuration.deflateConnections
    headerTimeout = configuration.headerTimeout.milliseconds
    bodyTimeout = configuration.bodyTimeout.milliseconds
    idleTimeout = configuration.idleTimeout.milliseconds
    sendTimeout = configuration.sendTimeout.milliseconds
    heartbeat = configuration.heartbeat.milliseconds
  }
}

extension Hub.Limits {
  init(_ configuration: Configuration) {
    self.init()
    sendRate = configuration.rateLimit == .on ? configuration.sendRate : nil
  }
}

extension Duration {
  var milliseconds: UInt64 {
    UInt64(components.seconds) * 1000 + UInt64(components.attoseconds / 1_000_000_000_000_000)
  }
}
