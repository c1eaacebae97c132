import Reactor

@testable import App

/// The whole program on a simulated disk, clock and network, without a thread of its own.
final class SimulatedServer {
  /// Milliseconds. It goes on over a restart.
  final class Clock { var now: UInt64 = 1_000_000 }

  let disk: Disk
  let store: Store
  let app: App
  private let directory: TemporaryDirectory

  static let users: ClosedRange<Int64> = 1...4
  static let groups: [[Int64]] = [[1, 2, 3], [1, 2], [1, 2, 3, 4]]
  static let waiting = 12
  private static let key = SigningKey(bytes: Array(0..<32))!

  init(files: [String: [UInt8]], clock: Clock) throws {
    directory = try TemporaryDirectory()
    disk = try Disk(directory: directory.path, holding: files)
    store = try Store(directory: directory.path, for: .serving)
    var configuration = Configuration()
    configuration.sendBuffer = 6 << 10
    configuration.rateLimit = .off
    var limits = Hub.Limits()
    limits.waitingMessages = Self.waiting
    app = try App(
      configuration, store: store, key: Self.key, passwords: PasswordHasher(n: 2),
      surroundings: Surroundings(
        clock: { clock.now * 1_000_000 }, workers: .byHand, hub: limits, longLog: 150))
  }

  /// Without the closing that a power cut leaves no time for.
  deinit {
    disk.unmount()
    app.closeWorkers()
    try? store.close()
  }

  /// One for each user, in order.
  static let tokens: Result<[String], any Error> = Result {
    let issuer = TokenIssuer(key: key, lifetime: .seconds(86_400))
    return try users.map { try issuer.issue(to: $0, role: $0 == 1 ? .admin : .client) }
  }

  /// A store with people and groups, in which something has been said already: made once.
  static let settledFiles: Result<[String: [UInt8]], any Error> = Result {
    let directory = try TemporaryDirectory()
    let disk = try Disk(directory: directory.path)
    defer { disk.unmount() }
    let store = try Store(directory: directory.path, for: .command)
    defer { try? store.close() }
    try store.write { db in
      for user in users {
        let role: Role = user == 1 ? .admin : .client
        _ = try UserStore.insert(NewUser(username: "user\(user)", role: role), passwordHash: nil, in: db)
      }
      for members in groups {
        let ids = members.map(EntityID.user.text)
        let body = NewConversation.Body(kind: "group", title: nil, memberIDs: ids)
        _ = try ConversationChanges(Transaction(alone: db), by: 1).make(
          NewConversation(body, madeBy: 1), askedFor: ids)
      }
      let log = MessageLog(positions: Positions(), index: SearchIndex())
      let batch = PublishBatch()
      for number in 0..<30 {
        let group = number % groups.count
        batch.entries.append(
          PublishBatch.Entry(
            origin: .nobody, sender: groups[group][number % groups[group].count],
            conversation: Int64(group + 1), key: Array("old\(number)".utf8).withUnsafeBytes(batch.append),
            text: Array("something old".utf8).withUnsafeBytes(batch.append), replyTo: 0))
      }
      try log.append(batch, db)
    }
    try store.checkpoint()
    var image = DiskImage()
    for operation in disk.log { image.apply(operation) }
    return image.settledFiles.filter { $0.key == "wattloop.sqlite" }
  }
}
