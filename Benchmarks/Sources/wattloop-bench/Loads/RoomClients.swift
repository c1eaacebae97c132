import Reactor

/// Members of rooms who only listen, lose their connections all at once, and come back with `resume`. Connection c is a
/// member of room c / size.
///
/// One is live again when its `resume` is answered and it has heard all that its room was sent meanwhile.
final class RoomClients: Load {
  private enum State {
    case cut, connecting, resuming, resumed, live
  }

  private struct Client {
    var state = State.live
    /// The greatest position and `seq` heard.
    var position = 0
    var seq: Int
    /// The same when it asked to resume; and whether the server has gone back to that.
    var resumePosition = 0
    var resumeSeq = 0
    var isRewound = false
    /// Messages passed over since it connected.
    var gap = 0
  }

  struct Counts {
    /// Messages that came again.
    var doubles = 0
    /// Events whose position does not grow.
    var disorder = 0
    /// Clients who were sent something before their `resume` was taken, which then comes again: the server holds it back
    /// for a moment only.
    var rewound = 0
    var resyncs = 0
    /// Connections that ended before they were live again.
    var lost = 0
    /// Events without a position, such as `presence`.
    var unplaced = 0
    var replayed = 0
    var errors = 0
  }

  private let roomSize: Int
  private var clients: [Client]
  private var epoch = ""
  /// Those who have still to connect.
  private var waiting: [Int] = []
  private var connecting = 0
  /// The last `seq` of each room when the clients came back.
  private var missedUpTo: [Int] = []
  private var start: UInt64 = 0
  /// The times until they had `hello`, and until they were live.
  private(set) var untilGreeted = Latency()
  private(set) var untilLive = Latency()
  private(set) var liveCount = 0
  private(set) var counts = Counts()
  private(set) var firstError: String?
  /// When something last came that is no heartbeat.
  private(set) var lastEvent = Clock.now

  override var doneCount: Int { liveCount }
  override var errorCount: Int {
    counts.errors + counts.doubles + counts.disorder + counts.resyncs + counts.lost
  }
  override func takeRecentLatency() -> (p50: Double, p99: Double)? { untilLive.takeRecent() }

  init(_ target: Target, loop: EventLoop, roomSize: Int, rooms: [Conversations.Made]) throws {
    self.roomSize = roomSize
    clients = target.accounts.indices.map { Client(seq: rooms[$0 / roomSize].lastSeq) }
    try super.init(target, loop: loop)
  }

  // MARK: The cut, and the way back

  /// Cuts all connections; the loop closes them one by one.
  func cut() {
    for index in clients.indices { clients[index].state = .cut }
    for source in sources { Cut.connections(from: source) }
  }

  /// All come back, in no order.
  /// - Parameter missedUpTo: the last `seq` of each room.
  func comeBack(missedUpTo: [Int]) {
    self.missedUpTo = missedUpTo
    waiting = clients.indices.shuffled()
    connecting = 0
    start = Clock.now
  }

  /// Starts connections while fewer than `window` are under way: a listener's queue is bounded.
  func connectMore(window: Int, atOnce: Int = 128) throws {
    var started = 0
    while started < atOnce, connecting < window, let next = waiting.popLast() {
      clients[next].state = .connecting
      connecting += 1
      started += 1
      try connect(next)
    }
  }

  var isLive: Bool { liveCount == clients.count }

  /// What they have not heard of all that their rooms were sent.
  func missing(upTo last: [Int]) -> Int {
    clients.indices.reduce(0) { $0 + clients[$1].gap + max(0, last[$1 / roomSize] - clients[$1].seq) }
  }

  override func closed(_ connection: Int) {
    switch clients[connection].state {
    case .cut: break
    case .connecting:
      connecting -= 1
      comeAgain(connection)
    case .resuming, .resumed: comeAgain(connection)
    case .live: counts.lost += 1
    }
  }

  private func comeAgain(_ connection: Int) {
    counts.lost += 1
    // What came out of turn is not remembered: it was to come again.
    if clients[connection].gap > 0 { backToResume(connection) }
    clients[connection].state = .cut
    waiting.insert(connection, at: 0)
  }

  // MARK: Receiving

  override func greeted(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    guard let hello = Hello(bytes) else { return misfit() }
    lastEvent = Clock.now
    guard clients[connection].state == .connecting else {
      clients[connection].position = hello.position
      epoch = hello.epoch
      return
    }
    connecting -= 1
    untilGreeted.record(Clock.now - start)
    clients[connection].state = .resuming
    let position = clients[connection].position
    clients[connection].resumePosition = position
    clients[connection].resumeSeq = clients[connection].seq
    clients[connection].isRewound = false
    var request = #"{"type":"resume","id":"resume","epoch":"\#(epoch)","position":\#(position)}"#
    request.withUTF8 { client.send(text: UnsafeRawBufferPointer($0), to: sockets[connection]) }
  }

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: #"{"type":"heartbeat""#) { return }
    lastEvent = Clock.now
    if bytes.starts(with: #"{"type":"message""#) {
      message(connection, bytes)
    } else if bytes.starts(with: #"{"type":"presence""#) || bytes.starts(with: #"{"type":"typing""#) {
      counts.unplaced += 1
    } else if bytes.starts(with: #"{"type":"ok""#) {
      resumed(connection)
    } else if bytes.starts(with: #"{"type":"resync""#) {
      counts.resyncs += 1
    } else if bytes.starts(with: #"{"type":"error""#) || bytes.starts(with: #"{"type":"goaway""#) {
      counts.errors += 1
      if firstError == nil { firstError = String(decoding: bytes, as: UTF8.self) }
    } else if let position = bytes.number(after: #""position":"#) {
      order(connection, position)
    } else {
      misfit()
    }
  }

  private func misfit() { counts.errors += 1 }

  private func resumed(_ connection: Int) {
    guard clients[connection].state == .resuming else { return misfit() }
    clients[connection].state = .resumed
    checkLive(connection)
  }

  private func message(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    guard let event = MessageEvent(bytes) else { return misfit() }
    if event.position <= clients[connection].position { rewind(connection) }
    let known = clients[connection].seq
    guard event.seq > known else {
      counts.doubles += 1
      return
    }
    clients[connection].gap += event.seq - known - 1
    clients[connection].seq = event.seq
    order(connection, event.position)
    if clients[connection].state != .live { counts.replayed += 1 }
    checkLive(connection)
  }

  /// Everything since the position that it resumes from comes now; what came before that does not count. That was
  /// something new, with a gap before it if the client has missed anything.
  private func rewind(_ connection: Int) {
    let client = clients[connection]
    guard client.state == .resuming, !client.isRewound else { return }
    guard client.gap > 0 || client.resumeSeq >= missedUpTo[connection / roomSize] else { return }
    clients[connection].isRewound = true
    counts.rewound += 1
    backToResume(connection)
  }

  private func backToResume(_ connection: Int) {
    clients[connection].gap = 0
    clients[connection].position = clients[connection].resumePosition
    clients[connection].seq = clients[connection].resumeSeq
  }

  private func order(_ connection: Int, _ position: Int) {
    if position <= clients[connection].position { counts.disorder += 1 }
    clients[connection].position = max(clients[connection].position, position)
  }

  private func checkLive(_ connection: Int) {
    guard clients[connection].state == .resumed,
      clients[connection].seq >= missedUpTo[connection / roomSize]
    else { return }
    clients[connection].state = .live
    liveCount += 1
    untilLive.record(Clock.now - start)
  }
}
