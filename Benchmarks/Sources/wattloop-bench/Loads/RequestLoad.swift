import Reactor

/// GET of one path on kept connections, one request under way on each.
final class RequestLoad: MessageLoad {
  let loop: EventLoop
  var timeline: Timeline?
  private let api: APIClient
  private let request: HTTPClientRequest
  private let isClosedLoop: Bool
  private var isSending = true
  /// What should have been sent and has no connection yet: its time runs.
  private var waiting = TimeQueue(capacity: 1024)
  private let connections: Int
  private var underWay = 0
  private var sent = 0
  private var answered = 0
  private var failed = 0
  private var firstFailure: String?
  private var latency = Latency()

  init(_ site: Site, path: String, token: String?, connections: Int, isClosedLoop: Bool) throws {
    api = try APIClient(site, token: token, connections: connections)
    loop = api.loop
    request = api.request(.get, path)
    self.connections = connections
    self.isClosedLoop = isClosedLoop
  }

  func startAll(depth: Int) {
    for _ in 0..<connections { send(intended: Clock.now) }
    api.flush()
  }

  func sendNext(intended: UInt64) {
    sent += 1
    if underWay < connections { start(intended: intended) } else { waiting.append(intended) }
  }

  func stopSending() { isSending = false }

  func run(until time: UInt64, or isDone: () -> Bool) {
    while Clock.now < time, !isDone() {
      loop.tick(limit: 5)
      timeline?.look(at: self)
    }
  }

  private func send(intended: UInt64) {
    sent += 1
    start(intended: intended)
  }

  private func start(intended: UInt64) {
    underWay += 1
    api.send(request) { [weak self] result in self?.finished(result, intended) }
  }

  private func finished(_ result: Result<HTTPClientResponse, HTTPClientError>, _ intended: UInt64) {
    underWay -= 1
    let now = Clock.now
    latency.record(now - intended)
    do {
      _ = try APIClient.body(request, result)
      answered += 1
    } catch {
      failed += 1
      firstFailure = firstFailure ?? "\(error)"
      // A server that is gone is not asked for ever.
      if failed > 1000 { isSending = false }
    }
    if let next = waiting.popFirst() {
      start(intended: next)
    } else if isClosedLoop && isSending {
      send(intended: now)
    }
  }

  // MARK: Measuring

  var isComplete: Bool { underWay == 0 && waiting.count == 0 }
  func resetLatencies() { latency.reset() }
  var connectionCount: Int { api.connectionCount }
  let unit = MeasuredUnit.message
  var doneCount: Int { answered }
  var errorCount: Int { failed }
  func takeRecentLatency() -> (p50: Double, p99: Double)? { latency.takeRecent() }

  func addLatencies(to report: inout Report) { report.add("request", latency) }

  func addCounts(to report: inout Report) {
    report.add("sent", sent)
    report.add("missing", sent - answered)
    report.require(failed == 0, firstFailure ?? "")
    report.require(answered == sent, "\(sent - answered) answers are missing")
  }
}
