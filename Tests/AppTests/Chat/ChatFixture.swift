import GRDB

@testable import App
@testable import Reactor

/// A store with users 1 … n, and what the writer's transactions do to it, one at a time and on this thread.
final class ChatFixture {
  let directory: TemporaryDirectory
  let store: Store
  /// Whom the hub would tell what, kept as it keeps it.
  let hub: Hub
  private let positions = Positions()
  private let index = SearchIndex()
  private lazy var log = MessageLog(positions: positions, index: index)
  private var keys = 0

  init(users: Int) throws {
    directory = try TemporaryDirectory()
    store = try Store(directory: directory.path, for: .command)
    let server = Server(loop: try EventLoop()) { status, _, _ in Response(status) }
    hub = Hub(server: server, epoch: "e", position: 0, limits: Hub.Limits()) { _ in true }
    try store.write { db in
      for number in 1...users {
        let role: Role = number == 1 ? .admin : .client
        _ = try UserStore.insert(NewUser(username: "user\(number)", role: role), passwordHash: nil, in: db)
      }
    }
  }

  deinit { try? store.close() }

  /// Runs a change as the writer does, and tells the hub.
  func transact<T>(_ body: (Transaction) throws -> T) throws -> T {
    var news: [Announcement] = []
    let result = try store.write { db in
      let transaction = Transaction(
        db: db, positions: positions, messages: log, devices: DeviceCatalog(), watched: WatchedDevices())
      let result = try body(transaction)
      news = transaction.announcements
      return result
    }
    for announcement in news {
      switch announcement {
      case .message(let message): hub.tell(message)
      case .conversation(let event): hub.tell(event)
      case .changed(let effect, let members): hub.tell(effect, members, except: nil)
      case .alert(let event): hub.tell(event)
      case .consumption, .sessionEnded, .tokensRevoked, .deviceChanged, .userChanged: break
      }
    }
    return result
  }

  func group(_ founder: Int64, _ others: [Int64], title: String? = nil) throws -> Int64 {
    let ids = others.map(EntityID.user.text)
    let body = NewConversation.Body(kind: "group", title: title, memberIDs: ids)
    return try transact {
      try ConversationChanges($0, by: founder).make(NewConversation(body, madeBy: founder), askedFor: ids).id
    }
  }

  // MARK: What sockets ask for

  func send(_ text: String, by user: Int64, in conversation: Int64, key: String? = nil) -> PublishBatch.Entry
  {
    keys += 1
    let key = key ?? "k\(keys)"
    return PublishBatch.Entry(
      origin: .nobody, sender: user, conversation: conversation, key: bytes(key), text: bytes(text),
      replyTo: 0)
  }

  func entry(
    _ operation: PublishBatch.Operation, _ seq: Int64, text: String = "", by user: Int64,
    in conversation: Int64
  ) -> PublishBatch.Entry {
    PublishBatch.Entry(
      operation, seq: seq, text: bytes(text), origin: .nobody, sender: user, conversation: conversation)
  }

  private var batch = PublishBatch()
  private func bytes(_ text: String) -> ByteRange { Array(text.utf8).withUnsafeBytes { batch.append($0) } }

  /// Commits entries made since the last time, in one transaction, and tells the hub.
  @discardableResult
  func commit(_ entries: [PublishBatch.Entry]) throws -> [PublishBatch.Entry] {
    let batch = batch
    self.batch = PublishBatch()
    batch.entries = entries
    try store.write { try log.append(batch, $0) }
    let answered = batch.entries
    hub.didCommit(batch)
    return answered
  }

  func advanceIndex() throws { _ = try transact { try $0.search.advance(by: 10_000, $0.db) } }

  // MARK: What users see

  /// All that the hub would have sent live to a user with a socket, in order.
  /// - Parameter asToldLive: messages as they were then; else as they stand now.
  func told(_ user: Int64, after position: Int64 = 0, asToldLive: Bool = false) -> [String] {
    var events: [String] = []
    _ = hub.ring.visit(after: position, for: user, asToldLive: asToldLive) { event in
      events.append(String(decoding: event, as: UTF8.self))
      return true
    }
    return events
  }

  /// What a client hears that comes back after a position; nil for a resync.
  func replayed(_ user: Int64, after position: Int64, limit: Int = 10_000) throws -> [String]? {
    try store.read { db in
      guard
        case .events(let items, _) = try EventReader.plan(for: user, after: position, limit: limit, db)
      else { return nil }
      var events: [String] = []
      var next = 0
      while next < items.count {
        // Small pages: their ends are part of what is tested.
        let page = try EventReader.page(items[next...], for: user, bytes: 500, db)
        events += page.events.map { String(decoding: $0, as: UTF8.self) }
        next += page.taken
      }
      return events
    }
  }

  func conversation(_ id: Int64, as user: Int64) throws -> String? {
    try store.read { try ConversationReader.json(id, for: user, $0) }.map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}

extension String {
  /// The number behind a member's name in a JSON text.
  func number(_ name: String) -> Int64? {
    guard let start = firstRange(of: "\"\(name)\":")?.upperBound else { return nil }
    return Int64(self[start...].prefix { $0.isNumber || $0 == "-" })
  }
}
