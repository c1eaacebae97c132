import Foundation
import Synchronization

/// Users in pairs who go on chatting while others have trouble, on a thread of their own: what they wait for is then the
/// server, and not a loop of this program that is busy with the others.
final class HealthyChat: Sendable {
  /// What was found between two readings.
  struct Findings: Sendable {
    var acknowledgement = Latency()
    var delivery = Latency()
    var acknowledged = 0
  }

  private enum Request { case none, reading, end }

  private struct State {
    var request = Request.none
    var isOpen = false
    var findings: Findings?
    var failure: String?
    var hasEnded = false
  }

  private let state = Mutex(State())

  init(_ site: Site, _ users: [Account], rate: Double, textBytes: Int) throws {
    let conversations = try Conversations.direct(users, at: site).map(\.id)
    let target = Load.Target.chat(site, users)
    Thread.detachNewThread { [self] in
      do {
        try run(target, conversations, rate, textBytes)
      } catch {
        state.withLock { $0.failure = "\(error)" }
      }
      state.withLock { $0.hasEnded = true }
    }
  }

  // MARK: For the other thread

  var isOpen: Bool { get throws { try state.withLock { try Self.check($0).isOpen } } }
  var hasEnded: Bool { get throws { try state.withLock { try Self.check($0).hasEnded } } }

  /// Asks for what was found since the last time; it is there some milliseconds later.
  func askForFindings() { state.withLock { $0.request = .reading } }
  func findings() throws -> Findings? {
    try state.withLock { state in
      defer { state.findings = nil }
      return try Self.check(state).findings
    }
  }

  /// Ends the chat when all is answered and delivered.
  func end() { state.withLock { $0.request = .end } }

  private static func check(_ state: State) throws -> State {
    if let failure = state.failure { throw Failure("the healthy clients: \(failure)") }
    return state
  }

  // MARK: On its thread

  private func run(_ target: Load.Target, _ conversations: [String], _ rate: Double, _ textBytes: Int) throws
  {
    let load = try ChatLoad(
      target, conversations: conversations, textBytes: textBytes, isClosedLoop: false)
    try load.open(target.accounts.count)
    var isSending = true
    let pace = try Pace(perSecond: rate, until: .max) { [unowned load] in
      if isSending { load.sendNext(intended: $0) }
    }
    try pace.start(on: load.loop)
    state.withLock { $0.isOpen = true }
    var before = load.counts
    while true {
      load.run(until: Clock.after(0.005))
      switch state.withLock({ state in
        defer { state.request = .none }
        return state.request
      }) {
      case .none: continue
      case .reading:
        let found = Findings(
          acknowledgement: load.untilAcknowledged, delivery: load.untilDelivered,
          acknowledged: load.counts.acknowledged - before.acknowledged)
        load.resetLatencies()
        before = load.counts
        state.withLock { $0.findings = found }
      case .end:
        isSending = false
        load.run(until: Clock.after(5), or: { load.isComplete })
        return try Self.check(load)
      }
    }
  }

  private static func check(_ load: ChatLoad) throws {
    if let error = load.firstError { throw Failure("the server answered \(error)") }
    if load.closedCount > 0 { throw Failure("\(load.closedCount) connections were closed") }
    if !load.isComplete { throw Failure("acknowledgements or deliveries are missing") }
    if load.counts.errors > 0 { throw Failure("messages came twice, or where they do not belong") }
  }
}
