import Reactor

/// Sends a request until it is answered, or `RepeatPolicy` gives up. Every attempt is the very same request.
final class PatientClient {
  private static let stopped = ExitFailure.faults("stopped before everything was answered")
  private typealias Attempt = Result<HTTPClientResponse, HTTPClientError>

  private let http: HTTPClient
  private let loop: EventLoop
  private let pauses: Pauses
  private let name: String
  /// Attempts that were not a request's first.
  private(set) var repeats = 0
  /// The server has answered once. Before, that nobody listens is an address that is wrong.
  private var wasReached = false

  init(loop: EventLoop, server: ServerAddress, connections: Int) {
    var limits = HTTPClient.Limits()
    limits.connections = connections
    limits.timeout = 20_000
    http = HTTPClient(loop: loop, host: server.host, port: server.port, limits: limits)
    self.loop = loop
    pauses = Pauses(loop: loop)
    name = "\(server.host):\(server.port)"
  }

  /// Ends what is under way, which fails.
  func abandon() {
    pauses.endAll()
    http.close()
  }

  /// - Throws: `unavailable` if the server does not answer, or only that it cannot now; `faults` if it was abandoned.
  func send(_ request: HTTPClientRequest) async throws(ExitFailure) -> HTTPClientResponse {
    let start = loop.now
    var attempt = 0
    while true {
      let result = await attemptOnce(request)
      if case .success = result { wasReached = true }
      let decision = decide(result, attempt, elapsed: loop.now - start)
      if decision == .take, case .success(let response) = result { return response }
      if pauses.areOver { throw Self.stopped }
      guard case .again(let pause) = decision else {
        throw .unavailable("\(name): \(Self.text(result))")
      }
      await pauses.wait(milliseconds: pause)
      if pauses.areOver { throw Self.stopped }
      attempt += 1
      repeats += 1
    }
  }

  private func attemptOnce(_ request: HTTPClientRequest) async -> Attempt {
    do throws(HTTPClientError) {
      return .success(try await http.send(request))
    } catch {
      return .failure(error)
    }
  }

  private func decide(_ result: Attempt, _ attempt: Int, elapsed: UInt64) -> RepeatPolicy.Decision {
    let chance = Double.random(in: 0...1)
    switch result {
    case .success(let response):
      return RepeatPolicy.decide(
        response.status, retryAfter: response.value(of: "retry-after"), attempt: attempt, elapsed: elapsed,
        chance: chance)
    case .failure(.cannotConnect) where !wasReached: return .giveUp
    case .failure(let error):
      return RepeatPolicy.decide(error, attempt: attempt, elapsed: elapsed, chance: chance)
    }
  }

  private static func text(_ result: Attempt) -> String {
    switch result {
    case .success(let response): "the server answers \(response.status.rawValue) \(response.status.reason)"
    case .failure(let error): text(error)
    }
  }

  private static func text(_ error: HTTPClientError) -> String {
    switch error {
    case .invalidRequest: "the request cannot be written"
    case .busy: "all connections are busy"
    case .cannotConnect(let reason): "no connection: \(reason)"
    case .connectionClosed: "the connection ends without an answer"
    case .timedOut: "no answer in time"
    case .invalidResponse(let reason): "the answer is not HTTP: \(reason)"
    case .cancelled: "the client was closed"
    }
  }
}
