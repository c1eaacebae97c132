import GRDB
import GRDBSQLite

@testable import App
@testable import Reactor

/// A server, its clients and what lies between them, all driven from one seed on one thread. After each step the rules of the
/// protocol are checked; what breaks one is a complaint.
final class World {
  private var random: SeededGenerator
  private let clock = SimulatedServer.Clock()
  private var server: SimulatedServer
  private var clients: [SimulatedClient] = []
  /// Lines whose client has gone: the server's side may go on for a while.
  private var connections: [Connection] = []
  private var chronicle = Chronicle()
  private var names = 0
  private(set) var complaints: [String] = []
  private(set) var tally = Tally()

  /// That a run has been worth something.
  struct Tally {
    var messages = 0
    var resumes = 0
    var duplicates = 0
    var busy = 0
    var failures = 0
    var slow = 0
    var crashes = 0
    var told = 0

    static func += (left: inout Tally, right: Tally) {
      left.messages += right.messages
      left.resumes += right.resumes
      left.duplicates += right.duplicates
      left.busy += right.busy
      left.failures += right.failures
      left.slow += right.slow
      left.crashes += right.crashes
      left.told += right.told
    }
  }

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    server = try SimulatedServer(files: SimulatedServer.settledFiles.get(), clock: clock)
    for (user, token) in zip(SimulatedServer.users, try SimulatedServer.tokens.get()) {
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        clients.append(SimulatedClient(user: user, token: token))
      }
    }
    try readStore()
    for _ in 0..<3 { try arrive() }
  }

  /// Whoever has no line gets one, and hears `hello`.
  private func arrive() throws {
    for client in clients {
      try connect(client)
      client.line?.socket.deliver(.max)
    }
    tick()
    for client in clients where !client.isStalled { take(client, most: .max) }
  }

  func run(steps: Int) throws {
    for _ in 0..<steps where complaints.isEmpty {
      for _ in 0..<Int.random(in: 1...3, using: &random) { try act() }
      tick()
    }
    if complaints.isEmpty { try calmDown() }
    if complaints.isEmpty { try checkEnd() }
  }

  private func chance(_ one: Int, in many: Int) -> Bool { Int.random(in: 0..<many, using: &random) < one }

  private func name(_ prefix: String) -> String {
    names += 1
    return "\(prefix)\(names)"
  }

  // MARK: What happens

  private func act() throws {
    let client = clients.randomElement(using: &random)!
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<4: try connect(client)
    case 4: try arrive()
    case 5..<34: for _ in 0..<Int.random(in: 1...3, using: &random) { ask(client) }
    case 34..<54: client.line?.socket.deliver(Int.random(in: 1...400, using: &random))
    case 54..<72: if !client.isStalled { take(client, most: Int.random(in: 1...3000, using: &random)) }
    case 72..<82: try work()
    case 82..<89: server.app.readers.work(most: Int.random(in: 1...3, using: &random))
    case 89..<92: clock.now += UInt64.random(in: 0...400, using: &random)
    case 92, 93: client.isStalled.toggle()
    case 94: leave(client)
    case 95, 96: disturb()
    case 97: changeMembers()
    case 98: server.app.writer.copyLog()
    default: if chance(1, in: 6) { try crash() }
    }
  }

  private func connect(_ client: SimulatedClient) throws {
    if let line = client.line {
      if line.isOver { client.hangUp() }
      return
    }
    let socket = SimulatedSocket(capacity: Int.random(in: 200...20_000, using: &random))
    let connection = try server.app.server.serve(socket)
    socket.attach(connection)
    connections.append(connection)
    client.line = ClientLine(user: client.user, token: client.token, socket: socket)
  }

  private func leave(_ client: SimulatedClient) {
    guard let line = client.line else { return }
    chance(1, in: 2) ? line.socket.reset() : line.socket.finish()
    client.hangUp()
  }

  /// One transaction, of some of the jobs that wait: the rest waits for a slow disk.
  private func work() throws {
    guard server.app.writer.work(most: Int.random(in: 1...3, using: &random)) else { return }
    try readStore()
  }

  private func readStore() throws { try server.store.read { try chronicle.read($0) } }

  private func disturb() {
    let call: Disk.Call = chance(1, in: 2) ? .sync : .write
    let code = call == .sync ? SQLITE_IOERR | 4 << 8 : SQLITE_FULL
    server.disk.fail([.init(call: call, after: Int.random(in: 0..<4, using: &random), code: code)])
  }

  private func changeMembers() {
    let user = Int64.random(in: 2...4, using: &random)
    let group = Int64.random(in: 1...3, using: &random)
    let isMember = chronicle.isMember(user, of: group)
    _ = server.app.writer.submit { transaction in
      let changes = ConversationChanges(transaction, by: 1)
      let isStillMember = try ConversationStore.isMember(user, of: group, in: transaction.db)
      guard isMember == isStillMember else { return }
      try isMember ? changes.remove(user, from: group) : changes.add([user], to: group)
    } finished: { _ in
    }
  }

  // MARK: What clients ask

  private func ask(_ client: SimulatedClient) {
    guard let line = client.line, line.isOpen else { return }
    if let known = client.known, chance(2, in: 3), line.requests.isEmpty, (line.cursor ?? 0) >= known {
      return resume(client, line, from: known)
    }
    if let index = client.unsent().first, chance(1, in: 2) { return send(client, line, index) }
    let conversation = Int64.random(in: 1...3, using: &random)
    let seq = Int64.random(
      in: 1...max(1, Int64(chronicle.senders[conversation, default: []].count)), using: &random)
    let place = "\"conversation\":\"c\(conversation)\",\"seq\":\(seq)"
    switch Int.random(in: 0..<17, using: &random) {
    case 0..<7:
      let text =
        name("text")
        + String(repeating: "x", count: Int.random(in: 0...(chance(1, in: 4) ? 1500 : 60), using: &random))
      client.compose(name("k"), to: conversation, text)
      send(client, line, client.sendings.count - 1)
    case 7: line.ask(.change, id: name("r"), "\"type\":\"edit\",\(place),\"text\":\"\(name("edit"))\"")
    case 8: line.ask(.change, id: name("r"), "\"type\":\"delete\",\(place)")
    case 9: line.ask(.mark, id: name("r"), "\"type\":\"received\",\(place)")
    case 10, 11: line.ask(.mark, id: name("r"), "\"type\":\"read\",\(place),\"private\":\(chance(1, in: 3))")
    case 12: line.ask(.other, id: name("r"), "\"type\":\"typing\",\(place),\"active\":\(chance(2, in: 3))")
    case 13: line.ask(.other, id: name("r"), "\"type\":\"history\",\(place),\"limit\":20")
    case 14: line.ask(.forbidden, id: name("r"), "\"type\":\"read\",\"conversation\":\"c99\",\"seq\":1")
    default: if !client.resumes(), line.isSteady, let cursor = line.cursor { rewind(client, line, cursor) }
    }
  }

  /// Sometimes from further back than it must.
  private func rewind(_ client: SimulatedClient, _ line: ClientLine, _ cursor: Int64) {
    resume(client, line, from: Int64.random(in: max(0, cursor - 40)...cursor, using: &random))
  }

  private func resume(_ client: SimulatedClient, _ line: ClientLine, from position: Int64) {
    tally.resumes += 1
    client.forgetKnown()
    line.ask(
      .resume(from: position), id: name("r"),
      "\"type\":\"resume\",\"epoch\":\"\(line.epoch)\",\"position\":\(position)")
  }

  private func send(_ client: SimulatedClient, _ line: ClientLine, _ index: Int) {
    let sending = client.sendings[index]
    line.ask(
      .send(key: sending.key), id: name("r"),
      """
      "type":"send","conversation":"c\(sending.conversation)","key":"\(sending.key)","text":"\(sending.text)"
      """)
  }

  private func take(_ client: SimulatedClient, most: Int) {
    guard let line = client.line else { return }
    let bytes = line.socket.take(most)
    if bytes.isEmpty { return }
    line.receive(bytes, chronicle) { request, answer in
      if answer.string("detail")?.contains("queue is full") ?? false { tally.busy += 1 }
      if answer.string("detail")?.contains("could not be stored") ?? false { tally.failures += 1 }
      if answer.isDuplicate { tally.duplicates += 1 }
      if case .send(let key) = request { client.hear(key, answer, chronicle) }
    }
    if line.closeCode?.rawValue == 4008 { tally.slow += 1 }
    complaints += line.complaints + client.complaints
  }

  // MARK: After each step

  private func tick() {
    server.app.loop.tick(limit: 0)
    connections.removeAll { $0.state == .closed }
    complaints += chronicle.complaints
    // Rule 7.
    let most = server.app.server.limits.sendBuffer + 1024
    for connection in connections where connection.unsentBytes > most {
      complaints.append("\(connection.unsentBytes) bytes wait for one peer")
    }
    // One `closed` for each `opened`.
    let open = connections.count { $0.state == .webSocket }
    if server.app.hub.sessions.count != open {
      complaints.append("the hub has \(server.app.hub.sessions.count) sessions, and \(open) sockets are open")
    }
    if server.app.server.connectionCount != connections.count {
      complaints.append(
        "the server counts \(server.app.server.connectionCount) of \(connections.count) connections")
    }
  }

  /// The power goes, and the server starts on what is left. What is on its way to clients may arrive.
  private func crash() throws {
    tally.crashes += 1
    for client in clients where client.line != nil {
      if chance(1, in: 2) { take(client, most: .max) }
      client.hangUp()
    }
    connections = []
    var image = DiskImage()
    for operation in server.disk.log { image.apply(operation) }
    let fate = DiskImage.Fate.allCases.randomElement(using: &random)!
    let remains = image.remains(fate, using: &random)
    server = try SimulatedServer(files: remains, clock: clock)
    let before = chronicle
    chronicle = Chronicle()
    try readStore()
    // Rule 2: nobody has seen what is not there any more.
    if !before.isBeginning(of: chronicle) {
      let (had, has) = (before.events.suffix(3), chronicle.events.suffix(3))
      complaints.append("a power cut (\(fate)) has taken back something committed: \(had) to \(has)")
    }
  }

  // MARK: The end

  /// Lets all that was begun end: nothing fails or stalls any more.
  private func calmDown() throws {
    server.disk.fail([])
    for client in clients { client.isStalled = false }
    for _ in 0..<400 where complaints.isEmpty {
      for client in clients {
        try connect(client)
        client.line?.socket.deliver(.max)
        take(client, most: .max)
        guard let line = client.line, line.isOpen, line.requests.isEmpty else { continue }
        if let known = client.known, (line.cursor ?? 0) >= known { resume(client, line, from: known) }
        for index in client.unsent().prefix(4) { send(client, line, index) }
      }
      try work()
      server.app.writer.copyLog()
      server.app.readers.work()
      clock.now += 20
      tick()
      if isCalm { return }
    }
    let waiting = clients.filter { $0.line?.requests.isEmpty != true }.map { "u\($0.user)" }
    complaints.append("it does not come to rest: \(waiting)")
  }

  private var isCalm: Bool {
    clients.allSatisfy { client in
      guard let line = client.line, line.isOpen, line.requests.isEmpty, !line.socket.hasUnderway,
        !line.socket.hasReturning, client.known == nil, client.sendings.allSatisfy(\.isOver),
        let cursor = line.cursor
      else { return false }
      return line.owed(after: cursor, chronicle).isEmpty
    } && server.app.writer.waiting == 0 && server.app.readers.waiting == 0
  }

  private func checkEnd() throws {
    tally.messages = chronicle.byKey.count
    tally.told = chronicle.events.count
    let store = server.store
    let chronicle = chronicle
    complaints += try store.read { db in
      var found: [String] = []
      for user in SimulatedServer.users {
        for conversation in Int64(1)...3 where chronicle.isMember(user, of: conversation) {
          let json = try ConversationReader.json(conversation, for: user, db) ?? []
          let unread = String(decoding: json, as: UTF8.self).number("unread")
          if unread != Int64(chronicle.unread(user, in: conversation)) {
            found.append(
              "u\(user) in c\(conversation): \(unread ?? -1) unread, not \(chronicle.unread(user, in: conversation))"
            )
          }
        }
      }
      var report = StoreCheck.Report()
      try ChatCheck.run(db, &report)
      return found + report.faults
    }
  }
}
