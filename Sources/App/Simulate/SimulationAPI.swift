import Reactor

/// The server's API as the simulation uses it: logged in, and each request with a key of its own.
final class SimulationAPI {
  let client: PatientClient
  private let credentials: SimulationPlan.Credentials
  private var token = ""
  private var isLoggingIn = false
  private var waiting: [CheckedContinuation<Void, Never>] = []
  /// Keys of two runs never meet.
  private let run = Base64URL.encode(RandomBytes.make(15))
  private var requests = 0

  private struct LoginBody: Encodable {
    let username: String
    let password: String
  }

  private struct LoginAnswer: Decodable {
    let accessToken: String
    private enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
  }

  private struct ProblemAnswer: Decodable {
    struct FieldError: Decodable {
      let pointer: String
      let detail: String
    }
    let detail: String
    let errors: [FieldError]?
  }

  init(client: PatientClient, credentials: SimulationPlan.Credentials) {
    self.client = client
    self.credentials = credentials
  }

  /// - Throws: `faults` if the server refuses the log-in.
  func logIn() async throws(ExitFailure) {
    switch credentials {
    case .token(let token): self.token = token
    case .password(let username, let password):
      let body = try Self.encode(LoginBody(username: username, password: password))
      let fields = [Response.Field("content-type", "application/json")]
      let response = try await client.send(
        HTTPClientRequest(.post, API.base + "/auth/login", fields: fields, body: body))
      guard response.status == .ok else { throw Self.refusal(response, "log-in as '\(username)'") }
      token = try Self.decode(LoginAnswer.self, response).accessToken
    }
  }

  /// Sends a request until it is answered well. A token that has expired is renewed once.
  /// - Parameter name: what the request is, for the error.
  /// - Throws: `faults` for an answer that is no success, `unavailable` if there is none.
  func send<Answer: Decodable>(
    _ method: Method, _ path: String, type: String? = nil, body: [UInt8] = [], name: String
  ) async throws(ExitFailure) -> Answer {
    requests += 1
    var fields = [Response.Field("idempotency-key", "\(run)-\(requests)")]
    if let type { fields.append(.init("content-type", type)) }
    var request = HTTPClientRequest(method, API.base + path, fields: fields, body: body)
    let used = token
    request.fields = fields + [authorization]
    var response = try await client.send(request)
    if response.status == .unauthorized {
      try await renew(used)
      request.fields = fields + [authorization]
      response = try await client.send(request)
    }
    guard (200..<300).contains(response.status.rawValue) else { throw Self.refusal(response, name) }
    return try Self.decode(Answer.self, response)
  }

  private var authorization: Response.Field { .init("authorization", "Bearer \(token)") }

  /// Many requests may hear at once that their token has ended: the first logs in, and the others wait for it.
  private func renew(_ used: String) async throws(ExitFailure) {
    if used != token { return }
    if isLoggingIn {
      return await withCheckedContinuation { waiting.append($0) }
    }
    isLoggingIn = true
    defer {
      isLoggingIn = false
      for continuation in waiting { continuation.resume() }
      waiting = []
    }
    try await logIn()
  }

  static func encode(_ value: some Encodable) throws(ExitFailure) -> [UInt8] {
    do { return try JSON.encode(value) } catch { throw ExitFailure(error) }
  }

  private static func decode<Answer: Decodable>(
    _ type: Answer.Type, _ response: HTTPClientResponse
  ) throws(ExitFailure) -> Answer {
    do throws(Problem) {
      return try JSON.decode(Answer.self, from: response.body)
    } catch {
      throw .faults("the server's answer is not what the API promises; is it Wattloop?")
    }
  }

  private static func refusal(_ response: HTTPClientResponse, _ name: String) -> ExitFailure {
    var text = "\(name): the server answers \(response.status.rawValue)"
    if let problem = try? JSON.decode(ProblemAnswer.self, from: response.body) {
      let errors = (problem.errors ?? []).map { [$0.pointer, $0.detail].joined(separator: " ") }
      text += " " + ([problem.detail] + errors.prefix(3)).joined(separator: ": ")
    }
    return .faults(text.printable)
  }
}
