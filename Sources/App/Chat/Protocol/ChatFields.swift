import Reactor

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

  mutating func person(_ person: ConversationEvent.Person) {
    raw("{\"id\":")
    id(.user, person.id)
    raw(",\"username\":")
    string(person.username)
    raw(",\"display_name\":")
    string(person.displayName)
    raw("}")
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

/// The texts of the two times used last: the messages of one batch have one time, and their answers another.
struct TimestampCache {
  private struct Text {
    var milliseconds: Int64 = .min
    var rendered: [UInt8] = []
  }
  private var last = Text()
  private var other = Text()

  mutating func text(_ time: Int64) -> [UInt8] {
    if time != last.milliseconds {
      swap(&last, &other)
      if time != last.milliseconds { render(time) }
    }
    return last.rendered
  }

  private mutating func render(_ time: Int64) {
    last.milliseconds = time
    last.rendered.removeAll(keepingCapacity: true)
    Timestamp(milliseconds: time).append(to: &last.rendered)
  }
}
