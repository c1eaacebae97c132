import Reactor
import Synchronization

/// How long an answer has waited for the writer, nanoseconds.
struct WriterWait {
  /// For its transactions to begin.
  private(set) var queue: UInt64
  /// In them, until they were on disk.
  private(set) var commit: UInt64

  /// - Parameter start: when the answer's request was there; else when the job was.
  init(_ times: WriterTimes, from start: UInt64? = nil) {
    let start = start ?? times.opened
    queue = times.began < start ? 0 : times.began - start
    commit = times.committed < times.began ? 0 : times.committed - times.began
  }

  mutating func add(_ other: WriterWait) {
    queue += other.queue
    commit += other.commit
  }

  var field: Response.Field {
    ServerTiming.field([
      ServerTiming.metric("queue", nanoseconds: queue), ServerTiming.metric("commit", nanoseconds: commit),
    ])
  }
}

/// Gathers what the request of a task waits for the writer.
final class WriterWaits: Sendable {
  /// That of the request whose task this is; nil where nobody wants to hear of it.
  @TaskLocal static var current: WriterWaits?

  private let sum = Mutex<WriterWait?>(nil)

  func add(_ wait: WriterWait) {
    sum.withLock { sum in
      if sum == nil { sum = wait } else { sum?.add(wait) }
    }
  }

  /// Answers a request. A client that prefers to hear of times hears what the handler waited for the writer, if it did.
  static func told(with request: Request, _ answer: () async -> Response) async -> Response {
    guard request.prefersServerTiming else { return await answer() }
    let waits = WriterWaits()
    var response = await $current.withValue(waits, operation: answer)
    if let sum = waits.sum.withLock({ $0 }) { response.fields.append(sum.field) }
    return response
  }
}

extension Endpoint {
  /// A task that waits for the writer.
  static func writing(_ handler: @escaping @Sendable (Request) async -> Response) -> Endpoint {
    .task { request in await WriterWaits.told(with: request) { await handler(request) } }
  }

  /// An upload that waits for the writer.
  static func writing(
    upload handler: @escaping @Sendable (Request, RequestBody) async -> Response
  ) -> Endpoint {
    .upload { request, body in await WriterWaits.told(with: request) { await handler(request, body) } }
  }
}
