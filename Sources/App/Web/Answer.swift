import GRDB
import Logging
import Reactor

/// The common frame of REST handlers: what they throw becomes the problem that the client sees.
enum Answer {
  static func from(_ handler: () throws -> Response) -> Response {
    do { return try handler() } catch { return problem(error).response }
  }

  /// The same for a handler with awaits in it.
  static func later(_ handler: () async throws -> Response) async -> Response {
    do { return try await handler() } catch { return problem(error).response }
  }

  static func json(
    _ value: some Encodable, _ status: Status = .ok, fields: [Response.Field] = []
  ) throws -> Response {
    Response(status, fields: fields, body: try JSON.encode(value), contentType: "application/json")
  }

  /// What is nobody's fault outside is logged, and told to the client without its inside.
  static func problem(_ error: any Error) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case is WorkerQueueFull: return .busy
    default:
      Logger(label: "wattloop.rest").error("a handler failed", metadata: ["error": "\(error)"])
      return .internal
    }
  }
}
