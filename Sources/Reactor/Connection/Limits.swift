/// Every limit of the reactor, with its reason. Times are milliseconds, sizes bytes.
public struct Limits: Sendable {
  // MARK: What a peer may send

  /// A request's head. 16 KiB holds what browsers send, cookies and all; more is an attack or a mistake: 431.
  public var headBytes = 16 * 1024
  public var headFields = 100
  /// The request-target. 8,000 octets are what RFC 9110 §4.1 asks a server to take: 414 beyond.
  public var targetBytes = 8 * 1024
  /// A request's body, unless its route says otherwise: 413.
  public var bodyBytes = 1024 * 1024
  /// All bodies together that wait for their rest, beyond the first 64 KiB of each: 503.
  public var bodyMemory = 256 * 1024 * 1024
  /// Of a body that its handler pulls, so much may wait; then nothing more is read until it pulls. One read (64 KiB) may
  /// come on top.
  public var bodyWindow = 256 * 1024
  /// A WebSocket message, all its fragments together: 1009.
  public var messageBytes = 64 * 1024
  /// With more connections than this, permessage-deflate is agreed on with nobody new: it costs up to some 50 KiB for each
  /// that uses it. 0 for never.
  public var deflateConnections = 1_000
  /// Of the windows of permessage-deflate, 9 to 15: 4 KiB hold many messages of a chat.
  public var deflateWindowBits = 12
  /// A message's fragments: an endless run of empty ones costs CPU and counts no bytes.
  public var messageFragments = 1024

  // MARK: What may wait for a peer

  /// Beyond this much unsent, nothing more is read from the peer: a reader that pipelines and never reads stops itself.
  public var highWater = 64 * 1024
  /// Beyond this much unsent, a WebSocket peer is closed with `slowPeerCode`.
  public var sendBuffer = 1024 * 1024
  /// An application's close code (RFC 6455 §7.4.2) for a peer that does not keep up.
  public var slowPeerCode = CloseCode(rawValue: 4008)

  /// Requests of one WebSocket that workers may have at a time; then nothing more is read from it until one is answered.
  public var workPerSocket: UInt8 = 4

  /// So many of the requests that one read has brought are served before others have their turn. Two thousand fit into a
  /// read, and take milliseconds.
  public var requestsPerTurn = 16
  /// The same for a WebSocket's frames, of which ten thousand fit.
  public var framesPerTurn = 256

  // MARK: How many at once

  public var connections = 1_000_000
  /// Connections accepted in one tick. In a storm each brings a handshake and all that it has missed, some tenths of a
  /// millisecond in all, and whoever is there already waits for the tick's end. A tick itself costs less than one of them.
  public var acceptsPerTick = 8
  /// TLS handshakes that go on in one tick: each computes for some tenths of a millisecond, and those who are connected
  /// come first.
  public var handshakesPerTick = 8
  /// The kernel's queue of connections not yet accepted (it cuts this to net.core.somaxconn).
  public var backlog = 4096

  // MARK: How long

  /// From the first byte of a head (from the accept, for the first) to its last; also a WebSocket's closing handshake.
  public var headerTimeout: UInt64 = 10_000
  /// Without progress in a body.
  public var bodyTimeout: UInt64 = 30_000
  /// Keep-alive between requests.
  public var idleTimeout: UInt64 = 75_000
  /// A peer that takes nothing of what waits for it.
  public var sendTimeout: UInt64 = 30_000
  /// After our FIN, until the peer's: long enough for it to read the last answer, which a reset would destroy.
  public var lingerTimeout: UInt64 = 2_000
  /// A connection that is idle when the server begins to stop.
  public var drainIdle: UInt64 = 250
  /// The interval of WebSocket pings; a peer silent for three of them is dropped.
  public var heartbeat: UInt64 = 30_000

  public init() {}

  /// What the loop's one receive buffer holds: room for the largest head, and for a good read beside it.
  var receiveBytes: Int { max(64 * 1024, 2 * headBytes) }
  static let silentHeartbeats = 3

  var headLimits: HeadLimits {
    var limits = HeadLimits()
    limits.headBytes = headBytes
    limits.fieldCount = headFields
    limits.targetBytes = targetBytes
    return limits
  }
  var messageLimits: MessageLimits {
    MessageLimits(messageBytes: messageBytes, fragments: messageFragments)
  }
}
