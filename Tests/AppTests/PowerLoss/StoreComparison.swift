import GRDB

@testable import App

/// Holds a store that was opened again to what had been acknowledged before.
struct StoreComparison {
  let store: Store

  /// The store against itself.
  func faults() throws -> [String] { try StoreCheck(store: store).run().faults }

  /// Acknowledged messages that are not there, once, in their place.
  func lost(_ messages: [StoreLife.Message]) throws -> [String] {
    let rows = try store.read { db in
      try Row.fetchAll(
        db,
        sql:
          "SELECT key, sender_id, conversation_id, seq, position, timestamp FROM messages WHERE key NOT NULL")
    }
    let found = Dictionary(grouping: rows) { $0["key"] as String }
    return messages.compactMap { message in
      guard let place = message.place else { return nil }
      guard let rows = found[message.key], rows.count == 1, let row = rows.first else {
        return "\(message.key) is there \(found[message.key]?.count ?? 0) times"
      }
      let stored = StoreLife.Place(seq: row["seq"], position: row["position"], timestamp: row["timestamp"])
      return stored == place && row["conversation_id"] == message.conversation
        ? nil : "\(message.key) has moved"
    }
  }

  /// Acknowledged texts that are others now.
  func changed(_ messages: [StoreLife.Message]) throws -> [String] {
    let texts = try store.read { db in
      try Row.fetchAll(db, sql: "SELECT key, text FROM messages WHERE key NOT NULL")
    }
    let found = Dictionary(texts.map { ($0["key"] as String, $0["text"] as String) }) { $1 }
    return messages.filter { $0.place != nil && found[$0.key] != $0.text }.map {
      "\($0.key) says something else"
    }
  }

  /// Sends messages again, and returns those that get another answer than the first time. One that had none is stored
  /// now or was: then it is asked for a second time.
  func answeredOtherwise(_ messages: [StoreLife.Message]) throws -> [String] {
    let log = MessageLog(positions: Positions(), index: SearchIndex())
    let first = try send(messages, log)
    let second = try send(messages, log)
    return zip(messages, zip(first, second)).compactMap { message, answers in
      guard answers.1.outcome == .duplicate, place(answers.0) == place(answers.1) else {
        return "\(message.key): \(answers.0.outcome), then \(answers.1.outcome)"
      }
      guard let known = message.place else { return nil }
      let isSame = answers.0.outcome == .duplicate && place(answers.0) == known
      return isSame ? nil : "\(message.key): \(answers.0.outcome) at \(answers.0.seq), before at \(known.seq)"
    }
  }

  private func place(_ entry: PublishBatch.Entry) -> StoreLife.Place {
    .init(seq: entry.seq, position: entry.position, timestamp: entry.timestamp)
  }

  private func send(_ messages: [StoreLife.Message], _ log: MessageLog) throws -> [PublishBatch.Entry] {
    let batch = PublishBatch()
    for message in messages {
      batch.entries.append(
        PublishBatch.Entry(
          origin: .nobody, sender: message.sender, conversation: message.conversation,
          key: Array(message.key.utf8).withUnsafeBytes(batch.append),
          text: Array(message.firstText.utf8).withUnsafeBytes(batch.append), replyTo: 0))
    }
    try store.write { try log.append(batch, $0) }
    return batch.entries
  }
}
