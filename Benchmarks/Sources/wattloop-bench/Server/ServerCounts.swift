import Foundation
import Reactor

/// What the server itself has counted, of `/metrics`.
struct ServerCounts {
  /// Messages of clients that are stored, each once.
  let stored: Int

  init(at site: Site) throws {
    let api = try APIClient(site, token: nil, connections: 1)
    let answer = try api.all([api.request(.get, "/metrics")], atOnce: 1)[0]
    let line: StaticString = #"wattloop_messages_total{outcome="stored"} "#
    guard let stored = answer.withUnsafeBytes({ $0.number(after: line) }) else {
      throw Failure("/metrics does not say how many messages are stored")
    }
    self.stored = stored
  }
}
