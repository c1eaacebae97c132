import Foundation
import Reactor

/// What the server itself has counted, of `/metrics`.
struct ServerCounts {
  /// Messages of clients that are stored, each once.
  let stored: Int
  /// Messages given to sockets at once.
  let delivered: Int
  /// Events given to sockets later, here nothing but messages: to one that has not asked anything yet.
  let replayed: Int

  init(at site: Site) throws {
    let api = try APIClient(site, token: nil, connections: 1)
    let answer = try api.all([api.request(.get, "/metrics")], atOnce: 1)[0]
    func value(_ name: StaticString) throws -> Int {
      guard let value = answer.withUnsafeBytes({ $0.number(after: name) }) else {
        throw Failure("/metrics has no \(name)")
      }
      return value
    }
    stored = try value(#"wattloop_messages_total{outcome="stored"} "#)
    delivered = try value("wattloop_message_deliveries_total ")
    replayed = try value("wattloop_events_replayed_total ")
  }
}
