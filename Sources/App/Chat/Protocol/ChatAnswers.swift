import Reactor

/// The answers to requests, over the socket and over REST.
extension ChatEncoder {
  /// `ok` with fields that `body` adds, each with a leading comma. `id` stands as it came between its quotes.
  mutating func ok(
    _ id: UnsafeRawBufferPointer, _ body: (inout JSONWriter, inout TimestampCache) -> Void
  ) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"ok\",\"id\":")
    json.quoted(id)
    body(&json, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func error(
    _ id: UnsafeRawBufferPointer?, _ problem: Problem
  ) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"error\"")
    if let id {
      json.raw(",\"id\":")
      json.quoted(id)
    }
    json.problemFields(problem)
    json.raw("}")
    return json.borrowed
  }

  /// What the sender of a published message hears over its socket.
  /// - Parameter now: of the clock of the day.
  mutating func answer(
    _ entry: PublishBatch.Entry, _ text: PublishedText, at now: Timestamp
  ) -> UnsafeRawBufferPointer {
    if let problem = entry.problem { return error(text.id, problem) }
    return ok(text.id) { json, time in
      // A mark has no more to say.
      if entry.operation == .receive || entry.operation == .read || entry.operation == .readPrivately {
        return
      }
      json.raw(",\"seq\":")
      json.integer(entry.seq)
      json.raw(",\"position\":")
      json.integer(entry.position)
      json.raw(",\"timestamp\":")
      json.time(entry.timestamp, &time)
      if entry.operation != .send { return }
      json.raw(",\"duplicate\":")
      json.bool(entry.outcome == .duplicate)
      // Committed with synchronous=FULL: an fsync has returned.
      json.raw(",\"durable\":\"disk\",\"server_time\":")
      json.time(now.milliseconds, &time)
    }
  }

  /// An edited message over REST, for its sender.
  mutating func object(_ message: ChangedMessage) -> [UInt8] {
    json.clear()
    json.raw("{")
    message.withStored { json.messageFields($0, includingKey: true, &time) }
    json.raw("}")
    return json.bytes
  }

  /// The same over REST: 201 with the message, or 200 with the one that the key names.
  mutating func response(_ entry: PublishBatch.Entry, _ text: PublishedText) -> Response {
    if let problem = entry.problem { return problem.response }
    json.clear()
    json.raw("{")
    json.messageFields(StoredMessage(entry, text), includingKey: true, &time)
    json.raw("}")
    return Response(
      entry.outcome == .duplicate ? .ok : .created, body: json.bytes, contentType: "application/json")
  }
}

extension PublishBatch.Entry {
  /// What to tell a sender whose message was not taken.
  var problem: Problem? { outcome.problem }
}

extension PublishBatch.Outcome {
  var problem: Problem? {
    switch self {
    case .stored, .duplicate, .unchanged: nil
    case .conflict: Problem(.idempotencyConflict)
    case .notFound: .notFound
    case .noSuchReply: .validation("/reply_to", "names no message of this conversation")
    case .noSuchSeq: .validation("/seq", "names no message of this conversation")
    case .forbidden: Problem(.forbidden, detail: "The message is another user's.")
    case .deleted: Problem(.conflict, detail: "The message has been deleted.")
    case .failed: .notStored
    }
  }
}
