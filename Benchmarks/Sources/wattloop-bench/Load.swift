import Reactor

/// The connections of a load, numbered from 0 in the order they were opened. A load inherits and says what a
/// message means.
class Load: WebSocketClientHandler {
  struct Target {
    let host: String
    let port: UInt16
    let path: String
    /// One for each connection, and from the first again; none for a server without users.
    var accounts: [Account] = []
  }

  /// A listener's queue holds more, and a refused handshake shows at once.
  private static let opening = 128
  /// The ports that one source address has for one server, with some to spare.
  private static let connectionsPerAddress = 25_000

  let loop: EventLoop
  private let target: Target
  private(set) lazy var client = WebSocketClient(loop: loop, handler: self)
  private(set) var sockets: [SourceID] = []
  /// Which connection a slot of the loop holds.
  private var numbers: [Int] = []
  private var readyCount = 0
  private(set) var closedCount = 0

  init(_ target: Target) throws {
    Descriptors.raiseLimit()
    loop = try EventLoop()
    self.target = target
  }

  // MARK: Opening

  /// Opens connections until there are so many, all of them ready.
  func open(_ count: Int) throws {
    sockets.reserveCapacity(count)
    let deadline = Clock.after(120)
    while readyCount < count {
      while sockets.count < min(count, readyCount + Self.opening) { try connect() }
      loop.tick(limit: 10)
      if closedCount > 0 {
        throw Failure("the server refused or closed a connection while they were opened: does it listen?")
      }
      if Clock.now > deadline {
        throw Failure("only \(readyCount) of \(count) connections were open in time")
      }
    }
  }

  private func connect() throws {
    let number = sockets.count
    let account = target.accounts.isEmpty ? nil : target.accounts[number % target.accounts.count]
    let socket = try client.connect(
      host: target.host, port: target.port, path: target.path,
      source: target.host.hasPrefix("127.") ? "127.0.0.\(1 + number / Self.connectionsPerAddress)" : nil,
      fields: account.map { [Response.Field("authorization", "Bearer " + $0.token)] } ?? [])
    sockets.append(socket)
    while numbers.count <= socket.slot { numbers.append(-1) }
    numbers[socket.slot] = number
  }

  /// Runs the loop until the time has come or the condition is met.
  func run(until time: UInt64, or isDone: () -> Bool = { false }) {
    while Clock.now < time, !isDone() { loop.tick(limit: 5) }
  }

  // MARK: Events

  /// A connection without users is ready as soon as it is open, one of the chat server's with its `hello`.
  func opened(_ socket: SourceID) {
    if target.accounts.isEmpty { readyCount += 1 }
  }

  func received(_ socket: SourceID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    if target.accounts.isEmpty || !bytes.starts(with: #"{"type":"hello""#) {
      received(numbers[socket.slot], bytes)
    } else {
      readyCount += 1
    }
  }

  func closed(_ socket: SourceID, _ code: CloseCode) { closedCount += 1 }

  /// A message other than the first `hello`, on the connection of that number.
  func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {}
}
