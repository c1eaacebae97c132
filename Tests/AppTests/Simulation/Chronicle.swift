import GRDB

@testable import App

/// What is committed, read from the store after each transaction by plain queries, and held to the rules of an order of
/// events. It is what clients are held against: nothing that it does not have may be told.
struct Chronicle {
  enum Happening: Equatable {
    case message(key: String)
    case change
    case receipt(received: Int64, read: Int64, publicRead: Int64?)
    case created([Int64])
    case updated
    case joined(Int64)
    case left(Int64)
  }

  struct Event: Equatable {
    let position: Int64
    let conversation: Int64
    let seq: Int64
    /// Who did it.
    let author: Int64
    let happening: Happening
  }

  struct Key: Hashable {
    let sender: Int64
    let key: String
  }

  struct Marks {
    var received: Int64 = 0
    var read: Int64 = 0
  }

  struct Place: Hashable {
    let conversation: Int64
    let seq: Int64
  }

  private(set) var events: [Event] = []
  private(set) var byKey: [Key: Event] = [:]
  private(set) var marks: [Int64: [Int64: Marks]] = [:]
  private(set) var senders: [Int64: [Int64]] = [:]
  /// All that each message has said.
  private(set) var texts: [Place: Set<String>] = [:]
  /// From where to where each was a member.
  private var memberships: [Int64: [Int64: [ClosedRange<Int64>]]] = [:]
  private(set) var complaints: [String] = []

  var last: Int64 { events.last?.position ?? 0 }

  // MARK: Reading the store

  mutating func read(_ db: Database) throws {
    var new = try Self.messages(db, after: last) + Self.others(db, after: last)
    new.sort { $0.0.position < $1.0.position }
    for (event, text) in new { add(event, text) }
  }

  private static func messages(_ db: Database, after position: Int64) throws -> [(Event, String)] {
    try Row.fetchAll(
      db.cachedStatement(
        sql: "SELECT position, conversation_id, seq, sender_id, key, text FROM messages WHERE position > ?"),
      arguments: [position]
    ).map { row in
      (
        Event(
          position: row[0], conversation: row[1], seq: row[2], author: row[3],
          happening: .message(key: row[4] ?? "")), row[5]
      )
    }
  }

  private static func others(_ db: Database, after position: Int64) throws -> [(Event, String)] {
    try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT e.position, e.kind, e.conversation_id, e.seq, e.user_id, e.by_id, e.received_seq, e.read_seq,
            e.public_read_seq, m.text, e.members
          FROM events e LEFT JOIN messages m ON m.conversation_id = e.conversation_id AND m.seq = e.seq
          WHERE e.position > ?
          """), arguments: [position]
    ).map { row in
      let user: Int64 = row[4] ?? 0
      let happening: Happening =
        switch EventStore.Kind(rawValue: row[1])! {
        case .messageChanged: .change
        case .receipt: .receipt(received: row[6], read: row[7], publicRead: row[8])
        case .created: .created((row[10] as String? ?? "").split(separator: ",").compactMap { Int64($0) })
        case .updated: .updated
        case .memberAdded: .joined(user)
        case .memberRemoved: .left(user)
        }
      let event = Event(
        position: row[0], conversation: row[2], seq: row[3] ?? 0, author: row[5] ?? user, happening: happening
      )
      return (event, row[9] ?? "")
    }
  }

  private mutating func add(_ event: Event, _ text: String) {
    if event.position <= last { complaints.append("position \(event.position) is there twice") }
    events.append(event)
    let conversation = event.conversation
    switch event.happening {
    case .message(let key):
      // Rule 1: gapless from 1, in the order of commits.
      let before = senders[conversation, default: []].count
      if event.seq != before + 1 { complaints.append("c\(conversation): seq \(event.seq) after \(before)") }
      senders[conversation, default: []].append(event.author)
      // Rule 3: unique for ever.
      if byKey.updateValue(event, forKey: Key(sender: event.author, key: key)) != nil, key != "" {
        complaints.append("the key \(key) has two messages")
      }
      texts[Place(conversation: conversation, seq: event.seq), default: []].insert(text)
    case .change: texts[Place(conversation: conversation, seq: event.seq), default: []].insert(text)
    case .receipt(let received, let read, _):
      // Rule 5: marks only grow, and what is read has been received.
      let marks = marks[conversation]?[event.author] ?? Marks()
      if received < marks.received || read < marks.read || received < read {
        complaints.append("c\(conversation): the marks of u\(event.author) went from \(marks) to \(event)")
      }
      self.marks[conversation, default: [:]][event.author] = Marks(received: received, read: read)
    case .created(let members):
      for member in members { join(member, event) }
    case .joined(let user):
      join(user, event)
      // What was said before is history, and no news.
      let seq = Int64(senders[conversation, default: []].count)
      marks[conversation, default: [:]][user] = Marks(received: seq, read: seq)
    case .left(let user):
      let last = memberships[conversation]?[user]?.popLast()
      if let last { memberships[conversation]![user]!.append(last.lowerBound...event.position) }
    case .updated: break
    }
  }

  private mutating func join(_ user: Int64, _ event: Event) {
    memberships[event.conversation, default: [:]][user, default: []].append(event.position...Int64.max)
  }

  // MARK: Who hears what

  func isMember(_ user: Int64, of conversation: Int64) -> Bool {
    memberships[conversation]?[user]?.last?.upperBound == .max
  }

  func hasBeenMember(_ user: Int64, of conversation: Int64) -> Bool {
    memberships[conversation]?[user] != nil
  }

  /// Or was no member at first.
  func hasLeft(_ user: Int64, _ conversation: Int64) -> Bool {
    !isMember(user, of: conversation) || memberships[conversation]![user]!.contains { $0.upperBound != .max }
      || memberships[conversation]![user]![0].lowerBound > SimulatedServer.groups.count
  }

  func event(at position: Int64) -> Event? {
    let index = firstIndex(after: position - 1)
    return index < events.count && events[index].position == position ? events[index] : nil
  }

  func isFor(_ user: Int64, _ event: Event) -> Bool {
    guard memberships[event.conversation]?[user]?.contains(where: { $0.contains(event.position) }) ?? false
    else { return false }
    if case .receipt(_, _, nil) = event.happening { return event.author == user }
    return true
  }

  /// Whether it must be told. Conversations that a user has left may be read to it no more.
  private func mustBeTold(_ event: Event, to user: Int64) -> Bool {
    isFor(user, event) && isMember(user, of: event.conversation)
      && memberships[event.conversation]?[user]?.last?.contains(event.position) ?? false
  }

  /// What a user must be told of what lies between two positions, both left out.
  func owed(to user: Int64, after low: Int64, before high: Int64) -> [Event] {
    var owed: [Event] = []
    var index = firstIndex(after: low)
    while index < events.count, events[index].position < high {
      if mustBeTold(events[index], to: user) { owed.append(events[index]) }
      index += 1
    }
    return owed
  }

  private func firstIndex(after position: Int64) -> Int {
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if events[middle].position <= position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Others' messages above the mark (rule 5).
  func unread(_ user: Int64, in conversation: Int64) -> Int {
    let read = Int(marks[conversation]?[user]?.read ?? 0)
    return senders[conversation, default: []].dropFirst(read).count { $0 != user }
  }

  /// Whether a store that was opened again has all that was there.
  func isBeginning(of other: Chronicle) -> Bool { Array(other.events.prefix(events.count)) == events }
}
