import Reactor

/// Writes what the chat sends. One buffer serves all: what a function returns is valid until the next call.
struct ChatEncoder {
  private var json = JSONWriter()
  private var time = TimestampCache()

  // MARK: Events

  struct Hello {
    let session: String
    let user: Int64
    let epoch: String
    let position: Int64
    let heartbeatMilliseconds: UInt64
    let messageBytes: Int
    let sendRate: Int?
  }

  mutating func hello(_ hello: Hello) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"hello\",\"session\":")
    json.string(hello.session)
    json.raw(",\"user\":")
    json.id(.user, hello.user)
    json.raw(",\"epoch\":")
    json.string(hello.epoch)
    json.raw(",\"position\":")
    json.integer(hello.position)
    json.raw(",\"server_time\":")
    json.time(Timestamp.now().milliseconds, &time)
    json.raw(",\"heartbeat_ms\":")
    json.integer(Int64(hello.heartbeatMilliseconds))
    json.raw(",\"typing_ms\":6000,\"limits\":{\"message_bytes\":")
    json.integer(Int64(hello.messageBytes))
    json.raw(",\"send_rate\":")
    if let rate = hello.sendRate { json.integer(Int64(rate)) } else { json.raw("null") }
    json.raw("}}")
    return json.borrowed
  }

  mutating func message(
    _ entry: PublishBatch.Entry, _ text: PublishedText, withKey: Bool
  ) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"message\",")
    json.messageFields(StoredMessage(entry, text), includingKey: withKey, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func message(_ message: SystemMessage) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"message\",")
    var text = message.text
    text.withUTF8 {
      json.messageFields(StoredMessage(message, UnsafeRawBufferPointer($0)), includingKey: false, &time)
    }
    json.raw("}")
    return json.borrowed
  }

  mutating func alert(_ event: AlertEvent) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"alert\",\"position\":")
    json.integer(event.position)
    json.raw(",\"id\":")
    json.id(.alert, event.alert)
    json.raw(",\"device\":")
    json.id(.device, event.device)
    json.raw(",\"state\":")
    json.string(event.state.rawValue)
    json.raw(",\"value\":")
    json.kilowattHours(event.energy)
    json.raw(",\"limit\":")
    json.kilowattHours(event.limit)
    json.raw(",\"start\":")
    json.time(event.start, &time)
    json.raw(",\"end\":")
    json.time(event.end, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func heartbeat(position: Int64) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"heartbeat\",\"position\":")
    json.integer(position)
    json.raw(",\"server_time\":")
    json.time(Timestamp.now().milliseconds, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func goAway(_ reason: StaticString, reconnectAfterMilliseconds delay: UInt64)
    -> UnsafeRawBufferPointer
  {
    json.clear()
    json.raw("{\"type\":\"goaway\",\"reason\":\"")
    json.raw(reason)
    json.raw("\",\"reconnect_after_ms\":")
    json.integer(Int64(delay))
    json.raw("}")
    return json.borrowed
  }

  // MARK: Answers to requests

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
  mutating func answer(_ entry: PublishBatch.Entry, _ text: PublishedText) -> UnsafeRawBufferPointer {
    if let problem = entry.problem { return error(text.id, problem) }
    return ok(text.id) { json, time in
      json.raw(",\"seq\":")
      json.integer(entry.seq)
      json.raw(",\"position\":")
      json.integer(entry.position)
      json.raw(",\"timestamp\":")
      json.time(entry.timestamp, &time)
      json.raw(",\"duplicate\":")
      json.bool(entry.outcome == .duplicate)
      // Committed with synchronous=FULL: an fsync has returned.
      json.raw(",\"durable\":\"disk\"")
    }
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
  var problem: Problem? {
    switch outcome {
    case .stored, .duplicate: nil
    case .conflict: Problem(.idempotencyConflict)
    case .notFound: .notFound
    case .noSuchReply: .validation("/reply_to", "names no message of this conversation")
    case .failed: .notStored
    }
  }
}

extension JSONWriter {
  /// A problem's members in an `error`: `problem` is what `type` is over REST, since a message's `type` is taken.
  mutating func problemFields(_ problem: Problem) {
    raw(",\"problem\":")
    string(problem.kind.type)
    raw(",\"title\":")
    string(problem.kind.title)
    raw(",\"status\":")
    integer(Int64(problem.kind.status.rawValue))
    raw(",\"detail\":")
    string(problem.text)
    if !problem.errors.isEmpty { fieldErrors(problem.errors) }
    if let retryAfter = problem.retryAfterMilliseconds {
      raw(",\"retry_after_ms\":")
      integer(Int64(retryAfter))
    }
    raw(",\"temporary\":")
    bool(problem.isTemporary)
  }

  private mutating func fieldErrors(_ errors: [Problem.FieldError]) {
    raw(",\"errors\":[")
    for (index, error) in errors.enumerated() {
      raw(index == 0 ? "{\"pointer\":" : ",{\"pointer\":")
      string(error.pointer)
      raw(",\"detail\":")
      string(error.detail)
      raw("}")
    }
    raw("]")
  }

  mutating func id(_ kind: EntityID, _ number: Int64) {
    raw("\"")
    kind.append(number, to: &bytes)
    raw("\"")
  }

  /// The bytes where they lie, valid until the writer's next call.
  var borrowed: UnsafeRawBufferPointer { bytes.withUnsafeBytes { $0 } }

  mutating func time(_ milliseconds: Int64, _ cache: inout TimestampCache) {
    quotedBytes(cache.text(milliseconds))
  }

  private mutating func quotedBytes(_ text: [UInt8]) { text.withUnsafeBytes { quoted($0) } }
}

/// The text of the time rendered last: the messages of one batch have one time.
struct TimestampCache {
  private var milliseconds: Int64 = .min
  private var rendered: [UInt8] = []

  mutating func text(_ time: Int64) -> [UInt8] {
    if time != milliseconds {
      milliseconds = time
      rendered.removeAll(keepingCapacity: true)
      Timestamp(milliseconds: time).append(to: &rendered)
    }
    return rendered
  }
}
