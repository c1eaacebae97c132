import Reactor

/// The connections of a load, numbered from 0 in the order they were opened. A load inherits and says what a
/// message means.
class Load: WebSocketClientHandler, Watched {
  struct Target {
    let host: String
    let port: UInt16
    let path: String
    /// One for each connection, and from the first again; none for a server without users.
    var accounts: [Account] = []
    /// So many connections each have a path of their own, with a number behind.
    var roomSize: Int?
    /// Connections come from addresses of 127.0.NETWORK.0/24.
    var network = 0

    /// The chat, for those users.
    static func chat(_ site: Site, _ accounts: [Account], network: Int = 0) -> Target {
      Target(
        host: site.host, port: site.port, path: "/api/v1/ws", accounts: accounts, network: network)
    }

    func path(of connection: Int) -> String { roomSize.map { "\(path)\(connection / $0)" } ?? path }
  }

  /// A listener's queue holds more, and a refused handshake shows at once.
  static let opening = 128
  /// Nanoseconds in which one more connection must have been opened.
  private static let patience: UInt64 = 60_000_000_000
  /// From one source address. It has some 28,000 ports for one server, but the kernel tries them one after another: from
  /// 14,000 on it tries as many in vain, and a connection takes a millisecond.
  private static let connectionsPerAddress = 4000

  let loop: EventLoop
  let target: Target
  private(set) lazy var client = WebSocketClient(loop: loop, handler: self)
  private(set) var sockets: [SourceID] = []
  /// Which connection a slot of the loop holds.
  private var numbers: [Int] = []
  private(set) var readyCount = 0
  private(set) var closedCount = 0
  /// Who watches it, if anybody does.
  var timeline: Timeline?

  /// - Parameter loop: another load's, if both are to run together.
  init(_ target: Target, loop: EventLoop? = nil) throws {
    DescriptorLimit.raise()
    self.loop = try loop ?? EventLoop()
    self.target = target
  }

  // MARK: Opening

  /// Opens connections until there are so many, all of them ready.
  /// - Parameters:
  ///   - rate: so many a second at most; without it, as fast as they are taken.
  ///   - window: handshakes under way.
  func open(_ count: Int, rate: Double? = nil, window: Int = opening) throws {
    sockets.reserveCapacity(count)
    timeline?.begin("opening", connections: count)
    let start = Clock.now
    let first = sockets.count
    var last = (count: readyCount, time: start)
    while readyCount < count {
      let due = rate.map { first + Int(Double(Clock.now - start) / 1e9 * $0) } ?? count
      while sockets.count < min(count, due, readyCount + window) { try connect(sockets.count) }
      tick(limit: 10)
      if closedCount > 0 {
        throw Failure("the server refused or closed a connection while they were opened: does it listen?")
      }
      if readyCount > last.count { last = (readyCount, Clock.now) }
      if Clock.now - last.time > Self.patience {
        throw Failure("only \(readyCount) of \(count) connections were open, and no more came")
      }
    }
  }

  /// Starts the connection of that number: the next one, or one that was closed.
  final func connect(_ number: Int) throws {
    let account = target.accounts.isEmpty ? nil : target.accounts[number % target.accounts.count]
    let socket = try client.connect(
      host: target.host, port: target.port, path: target.path(of: number), source: source(of: number),
      fields: account.map { [Response.Field("authorization", "Bearer " + $0.token)] } ?? [])
    if number == sockets.count { sockets.append(socket) } else { sockets[number] = socket }
    while numbers.count <= socket.slot { numbers.append(-1) }
    numbers[socket.slot] = number
  }

  private func source(of number: Int) -> String? {
    guard target.host.hasPrefix("127.") else { return nil }
    return "127.0.\(target.network).\(1 + number / Self.connectionsPerAddress)"
  }

  /// The addresses that the connections come from.
  final var sources: Set<String> { Set(sockets.indices.compactMap(source)) }

  /// Runs the loop until the time has come or the condition is met.
  func run(until time: UInt64, or isDone: () -> Bool = { false }) {
    while Clock.now < time, !isDone() { tick(limit: 5) }
  }

  private func tick(limit: Int32) {
    loop.tick(limit: limit)
    timeline?.look(at: self)
  }

  // MARK: Being watched

  final var connectionCount: Int { readyCount - closedCount }
  var doneCount: Int { readyCount }
  var errorCount: Int { closedCount }
  func takeRecentLatency() -> (p50: Double, p99: Double)? { nil }

  // MARK: Events

  /// A connection without users is ready as soon as it is open, one of the chat server's with its `hello`.
  final func opened(_ socket: SourceID) {
    if target.accounts.isEmpty { readyCount += 1 }
  }

  final func received(_ socket: SourceID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    let number = numbers[socket.slot]
    if target.accounts.isEmpty || !bytes.starts(with: #"{"type":"hello""#) {
      received(number, bytes)
    } else {
      readyCount += 1
      greeted(number, bytes)
    }
  }

  final func closed(_ socket: SourceID, _ code: CloseCode) {
    closedCount += 1
    closed(numbers[socket.slot])
  }

  /// A message other than `hello`, on the connection of that number.
  func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {}
  /// The chat server's `hello`.
  func greeted(_ connection: Int, _ hello: UnsafeRawBufferPointer) {}
  /// A connection has ended, or was never open.
  func closed(_ connection: Int) {}
}
