import Reactor

/// `/livez`, `/readyz` and `/version`: from memory, for anybody.
struct HealthRoutes {
  private struct Status: Encodable { let status: String }
  private struct Program: Encodable {
    let name: String
    let version: String
  }

  let isReady: () -> Bool
  private let alive = Answer.from { try Answer.json(Status(status: "live")) }

  /// The loop turns: that this answers is the proof.
  func live(_ request: borrowing RequestView, _ responder: Responder) -> Response? { alive }

  /// 503 while the server drains: a balancer takes it out.
  func ready(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    Answer.from {
      guard isReady() else { throw Problem(.busy, detail: "The server is stopping.") }
      return try Answer.json(Status(status: "ready"))
    }
  }

  func version(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    Answer.from { try Answer.json(Program(name: "wattloop", version: Version.current)) }
  }
}
