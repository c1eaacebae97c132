import Reactor

/// Requests of which so many are under way: each answer sends the next. An answer that is none, or says that something is
/// wrong, ends it.
final class ClosedLoop: Watched {
  private let api: APIClient
  /// The next request; nil if there is none.
  private let next: () -> HTTPClientRequest?
  /// Looks at an answer's content.
  private let take: ([UInt8]) throws -> Void
  private var underWay = 0
  private var isSending = false
  private var failure: (any Error)?
  private(set) var latency = Latency()
  private(set) var answers = 0
  var timeline: Timeline?

  var connectionCount: Int { api.connectionCount }
  var doneCount: Int { answers }
  var errorCount: Int { failure == nil ? 0 : 1 }
  func takeRecentLatency() -> (p50: Double, p99: Double)? { latency.takeRecent() }

  init(
    _ api: APIClient, next: @escaping () -> HTTPClientRequest?,
    take: @escaping ([UInt8]) throws -> Void = { _ in }
  ) {
    self.api = api
    self.next = next
    self.take = take
  }

  /// Sends the first requests.
  func start(_ count: Int) {
    isSending = true
    for _ in 0..<count { send() }
    api.flush()
  }

  /// Runs until the time has come, or there was no next request and the last answer is there.
  func run(until time: UInt64 = .max) throws {
    while Clock.now < time, underWay > 0, failure == nil {
      api.loop.tick(limit: 5)
      timeline?.look(at: self)
    }
    if let failure { throw failure }
  }

  /// Sends nothing more, and waits for the answers.
  func stop() throws {
    isSending = false
    try run()
  }

  func resetCounts() {
    answers = 0
    latency.reset()
  }

  private func send() {
    guard let request = next() else { return }
    underWay += 1
    let start = Clock.now
    // After a failure the others under way are cancelled, maybe when this is gone.
    api.send(request) { [weak self] result in
      guard let self else { return }
      underWay -= 1
      latency.record(Clock.now - start)
      do {
        try take(APIClient.body(request, result))
        answers += 1
        if isSending { send() }
      } catch {
        failure = failure ?? error
      }
    }
  }
}
