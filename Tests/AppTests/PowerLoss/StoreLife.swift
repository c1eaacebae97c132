import GRDB
import Logging
import Reactor
import Synchronization

@testable import App

/// A seeded life of a store, lived through its writer by hand: messages, edits, deletions, marks, conversations, readings, words
/// for the search, checkpoints. It keeps what was acknowledged. What fails is sent again, as clients do it.
final class StoreLife {
  /// A message that somebody sends. Its key is no other's.
  struct Message {
    let key: String
    let sender: Int64
    let conversation: Int64
    let firstText: String
    /// As the last acknowledged edit left it.
    var text: String
    var place: Place?
  }

  struct Place: Equatable {
    let seq: Int64
    let position: Int64
    let timestamp: Int64
  }

  /// What the writer has brought back since the last look.
  private final class Answers: Sendable {
    struct State {
      var entries: [PublishBatch.Entry] = []
      var failures: [any Error] = []
    }
    let state = Mutex(State())
  }

  static let users: ClosedRange<Int64> = 1...5
  private static let groups: [[Int64]] = [[1, 2, 3], [1, 2, 3, 4, 5], [1, 5]]

  /// The writer and the checkpointer report each failure, and here they are made by the hundred.
  private static let quietLogs: Void = LoggingSystem.bootstrap { label in
    let isQuiet = ["wattloop.writer", "wattloop.checkpointer"].contains(label)
    if isQuiet { return SwiftLogNoOpLogHandler() }
    return StreamLogHandler.standardError(label: label)
  }

  let store: Store
  private let writer: Writer
  private let answers = Answers()
  private var random: SeededGenerator
  private(set) var messages: [Message] = []
  private var unanswered: [Int] = []
  private(set) var failedSteps = 0
  private var titles = 0
  private var minutes: Int64 = 0

  /// - Parameter acknowledged: is called when something is, before anything else happens.
  init(in directory: String, seed: UInt64, acknowledged: @escaping @Sendable () -> Void = {}) throws {
    Self.quietLogs
    store = try Store(directory: directory, for: .serving)
    random = SeededGenerator(seed: seed)
    let answers = answers
    writer = Writer(
      store: store, mode: .byHand, longLog: 150,
      committed: { batch in
        acknowledged()
        answers.state.withLock { $0.entries += batch.entries }
      }, announced: { _ in })
  }

  deinit {
    writer.close()
    try? store.close()
  }

  /// People, groups and a meter, in one transaction.
  func settle() throws {
    try store.write { db in
      for number in Self.users {
        let role: Role = number == 1 ? .admin : .client
        _ = try UserStore.insert(NewUser(username: "user\(number)", role: role), passwordHash: nil, in: db)
      }
      for members in Self.groups {
        let ids = members.map(EntityID.user.text)
        let body = NewConversation.Body(kind: "group", title: nil, memberIDs: ids)
        _ = try ConversationChanges(Transaction(alone: db), by: 1).make(
          NewConversation(body, madeBy: 1), askedFor: ids)
      }
      try db.execute(
        sql: """
          INSERT INTO devices (id, name, owner_id, timezone, max_hourly_kwh, created_at)
            VALUES (1, 'Meter', 2, 'UTC', 2, 0);
          INSERT INTO metrics (id, device_id, place, name, kind, unit)
            VALUES (1, 1, 0, 'energy', 'interval', 'kWh');
          """)
    }
  }

  /// One transaction of the writer, or none where it fails.
  func step() {
    if Int.random(in: 0..<6, using: &random) == 0 { change() }
    let sent = publish()
    if Int.random(in: 0..<6, using: &random) == 0 { change() }
    writer.work()
    if Int.random(in: 0..<4, using: &random) == 0 { writer.copyLog() }
    hear(sent)
  }

  /// Goes on until nothing is unanswered.
  func calmDown() -> Bool {
    for _ in 0..<10 where !unanswered.isEmpty { step() }
    return unanswered.isEmpty
  }

  // MARK: What is asked for

  /// What an entry of a batch is about.
  private enum Asked {
    case message(Int)
    case edit(Int, String)
    case mark
  }

  private func publish() -> [Asked] {
    let batch = PublishBatch()
    var asked: [Asked] = []
    func text(_ text: String) -> ByteRange { Array(text.utf8).withUnsafeBytes(batch.append) }
    func send(_ index: Int) {
      let message = messages[index]
      asked.append(.message(index))
      batch.entries.append(
        PublishBatch.Entry(
          origin: .nobody, sender: message.sender, conversation: message.conversation, key: text(message.key),
          text: text(message.firstText), replyTo: 0))
    }
    for index in unanswered { send(index) }
    unanswered = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      messages.append(newMessage())
      send(messages.count - 1)
    }
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      guard let index = messages.indices.randomElement(using: &random), let place = messages[index].place
      else { continue }
      let (operation, new) = something(index)
      if [.edit, .delete].contains(operation) {
        asked.append(.edit(index, new))
      } else {
        asked.append(.mark)
      }
      batch.entries.append(
        PublishBatch.Entry(
          operation, seq: place.seq, text: text(new), origin: .nobody, sender: messages[index].sender,
          conversation: messages[index].conversation))
    }
    precondition(writer.submit(batch), "nothing waits here")
    return asked
  }

  private func newMessage() -> Message {
    let group = Int.random(in: Self.groups.indices, using: &random)
    let length = Int.random(in: 0..<10, using: &random) == 0 ? 6000 : 20
    let text = "text \(messages.count) " + String(repeating: "w", count: length)
    return Message(
      key: "k\(messages.count)", sender: Self.groups[group].randomElement(using: &random)!,
      conversation: Int64(group + 1), firstText: text, text: text)
  }

  private func something(_ index: Int) -> (PublishBatch.Operation, String) {
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: (.edit, "edit \(Int.random(in: 0..<1000, using: &random)) of \(messages[index].key)")
    case 2: (.delete, "")
    case 3: (.receive, "")
    case 4: (.readPrivately, "")
    default: (.read, "")
    }
  }

  private func change() {
    let kind = Int.random(in: 0..<4, using: &random)
    titles += 1
    minutes += 10
    let (number, minutes) = (titles, minutes)
    let answers = answers
    let isTaken = writer.submit { transaction in
      switch kind {
      case 0:
        let body = NewConversation.Body(kind: "group", title: "G\(number)", memberIDs: ["u2", "u4"])
        _ = try ConversationChanges(transaction, by: 2).make(
          NewConversation(body, madeBy: 2), askedFor: ["u2", "u4"])
      case 1: _ = try transaction.search.advance(by: 20, transaction.db)
      default: _ = try ReadingIntake.run(Self.readings(minutes), onlyFor: nil, in: transaction)
      }
    } finished: { error in
      if let error { answers.state.withLock { $0.failures.append(error) } }
    }
    precondition(isTaken, "nothing waits here")
  }

  private static func readings(_ minutes: Int64) -> [IncomingReading] {
    (0..<5).map { index in
      let end = 1_700_000_000_000 + (minutes + Int64(index)) * 60_000
      return IncomingReading(
        index: index, device: 1, metric: nil, reading: Reading(end: end, value: 0.125 * Double(index + 1)))
    }
  }

  // MARK: What is answered

  private func hear(_ asked: [Asked]) {
    let heard = answers.state.withLock { state in
      defer { state = .init() }
      return state
    }
    if !heard.failures.isEmpty || heard.entries.contains(where: { $0.outcome == .failed }) {
      failedSteps += 1
    }
    for (asked, entry) in zip(asked, heard.entries) { hear(asked, entry) }
  }

  private func hear(_ asked: Asked, _ entry: PublishBatch.Entry) {
    switch (asked, entry.outcome) {
    case (.message(let index), .stored), (.message(let index), .duplicate):
      messages[index].place = Place(seq: entry.seq, position: entry.position, timestamp: entry.timestamp)
    case (.message(let index), .failed): unanswered.append(index)
    case (.message, _): preconditionFailure("a member's message is stored or fails: \(entry.outcome)")
    case (.edit(let index, let text), .stored): messages[index].text = text
    case (.edit, _), (.mark, _): break
    }
  }
}
