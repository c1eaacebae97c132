import Glibc

/// One TCP connection: a small object and an explicit state. What it does in each state stands in the extensions:
/// receiving, HTTP, WebSocket, sending, deadlines, closing.
///
/// ```
///            first byte        head            whole body           answer
///   ┌─ idle ───────────▶ head ──────▶ body ──────────────▶ answering ───┐
///   │   ▲ └─────────────────┴───── (fast path: all in one read) ────────┤
///   │   └───────────────────────────────────────────────────────────────┤
///   │                     101                 close frame sent          │ last answer
///   │    head ───────────────────▶ webSocket ─────────────────▶ closing │
///   │                                  │ close frame received    │      │
///   └─ FIN received ───────────────────▼─────────────────────────▼──────▼
///                                  finishing ── all sent: FIN ──▶ lingering ── peer's FIN ──▶ closed
/// ```
///
/// A body that its handler pulls takes the place of `body` and `answering`: `head ─▶ uploading ─ whole body ─▶ answering`,
/// or, where the answer is ready first, `uploading ─▶ body`, and the rest is thrown away.
///
/// An error or a reset leads from every state to `closed` at once.
///
/// Pipelining is a state, not a queue: while `answering`, the next request stays unparsed, so answers cannot overtake.
final class Connection: EventSource {
  enum State: UInt8 {
    /// HTTP, between requests.
    case idle
    /// Part of a request's head has come.
    case head
    /// A request's body is coming; no handler waits for it yet, or none does any more.
    case body
    /// A handler has the request and pulls its body, which is coming.
    case uploading
    /// A handler has the request.
    case answering
    /// An open WebSocket.
    case webSocket
    /// Our close frame has been sent; the peer's is awaited.
    case closing
    /// Nothing more is read; what waits is sent, then FIN.
    case finishing
    /// FIN sent: what the peer still sends is thrown away, until its FIN.
    case lingering
    case closed
  }

  struct Flags: OptionSet {
    let rawValue: UInt8
    /// The kernel may have bytes for us (edge-triggered: nobody tells a second time).
    static let readable = Flags(rawValue: 1)
    /// FIN or a reset is on its way: read until it is met.
    static let hungUp = Flags(rawValue: 2)
    /// The peer's FIN has been read.
    static let peerEnded = Flags(rawValue: 4)
    /// `resume` is due in the next tick.
    static let resuming = Flags(rawValue: 8)
    /// The answer under way is the last.
    static let lastAnswer = Flags(rawValue: 16)
    /// It has been served as much as it may at a time, and there is more.
    static let hadItsTurn = Flags(rawValue: 32)
  }

  let fd: Int32
  let server: Server
  /// nil for a bare socket without compression.
  var layers: Layers?

  var state = State.idle
  var flags: Flags = []
  /// Heartbeats since the peer was last heard.
  var silentBeats: UInt8 = 0
  /// Requests of a WebSocket peer that workers have (`Server.beginWork`).
  var workUnderWay: UInt8 = 0
  /// Which of the server's WebSocket handlers serves it.
  var handler: UInt8 = 0
  /// When the present state has lasted too long, in the loop's ticks.
  var deadline: UInt32 = 0
  /// When the application wants to be called; 0 for never.
  var applicationDeadline: UInt32 = 0

  /// Bytes received and not yet consumed: an unfinished head, or what was pipelined.
  var inbox: [UInt8] = []
  var parser = RequestParser()
  var exchange: HTTPExchange?
  var webSocket = WebSocketMachine(role: .server)

  /// The chain of pieces in the outbox for the end of this tick, and its length.
  var firstPiece = Outbox.none
  var lastPiece = Outbox.none
  var pendingBytes: UInt32 = 0
  var backlog: Backlog?

  init(fd: Int32, transport: Transport? = nil, server: Server) {
    self.fd = fd
    if let transport { layers = Layers(transport: transport) }
    self.server = server
  }

  override func ready(_ readiness: Readiness) {
    goesShortWay(readiness) ? receiveShort() : didBecome(readiness)
  }
  override func timerFired() { meetDeadlines() }
  override func resume() {
    flags.remove(.resuming)
    receive()
  }

  /// What waits to be sent, in the outbox and in the backlog.
  var unsentBytes: Int { Int(pendingBytes) + (backlog?.count ?? 0) }
}
