import Foundation
import Reactor

/// The server's API, asked as one user; its calls are on the loop, or run the loop until the answer is there.
final class APIClient {
  let loop: EventLoop
  private let client: HTTPClient
  private let token: String?

  /// - Parameter connections: how many requests may be under way.
  init(_ site: Site, token: String?, connections: Int) throws {
    DescriptorLimit.raise()
    loop = try EventLoop()
    var limits = HTTPClient.Limits()
    limits.connections = connections
    client = HTTPClient(loop: loop, host: site.host, port: site.port, limits: limits)
    self.token = token
  }

  var connectionCount: Int { client.connectionCount }

  /// A request of this user, or of the one whose token that is.
  func request(
    _ method: Reactor.Method, _ path: String, contentType: String? = nil, body: [UInt8] = [],
    token: String? = nil, idempotencyKey: String? = nil
  ) -> HTTPClientRequest {
    var fields: [Response.Field] = []
    if let token = token ?? self.token { fields.append(Response.Field("authorization", "Bearer " + token)) }
    if let idempotencyKey { fields.append(Response.Field("idempotency-key", idempotencyKey)) }
    if let contentType { fields.append(Response.Field("content-type", contentType)) }
    return HTTPClientRequest(method, path, fields: fields, body: body)
  }

  func send(_ request: HTTPClientRequest, _ completion: @escaping HTTPClient.Completion) {
    client.send(request, completion)
  }

  /// What was sent outside a tick leaves now, and not when the next one has slept.
  func flush() { loop.tick(limit: 0) }

  // MARK: Waiting

  func get<T: Decodable>(_ path: String) throws -> T { try decoded(request(.get, path)) }

  func post<T: Decodable>(_ path: String, json: some Encodable) throws -> T {
    try decoded(
      request(.post, path, contentType: "application/json", body: [UInt8](JSONEncoder().encode(json))))
  }

  /// Sends all of them, so many at a time; returns the contents of their answers in the same order.
  func all(_ requests: [HTTPClientRequest], atOnce: Int) throws -> [[UInt8]] {
    var contents = [[UInt8]](repeating: [], count: requests.count)
    var failure: (any Error)?
    var next = 0
    var answered = 0
    while answered < requests.count {
      while next < requests.count, next - answered < atOnce {
        let place = next
        next += 1
        send(requests[place]) { result in
          answered += 1
          do { contents[place] = try Self.body(requests[place], result) } catch { failure = error }
        }
      }
      loop.tick(limit: 10)
      if let failure { throw failure }
    }
    return contents
  }

  private func decoded<T: Decodable>(_ request: HTTPClientRequest) throws -> T {
    var result: Result<HTTPClientResponse, HTTPClientError>?
    send(request) { result = $0 }
    flush()
    while result == nil { loop.tick(limit: 10) }
    return try JSONDecoder().decode(T.self, from: Data(Self.body(request, result)))
  }

  /// The content of an answer that says all went well.
  static func body(
    _ request: HTTPClientRequest, _ result: Result<HTTPClientResponse, HTTPClientError>?
  ) throws -> [UInt8] {
    switch result {
    case .success(let answer) where answer.status == .ok || answer.status == .created: return answer.body
    case .success(let answer):
      let content = String(decoding: answer.body.prefix(500), as: UTF8.self)
      throw Failure("\(request.path) was answered \(answer.status.rawValue): \(content)")
    case .failure(let error): throw Failure("\(request.path) was not answered: \(error)")
    case nil: throw Failure("\(request.path) was not answered")
    }
  }
}
