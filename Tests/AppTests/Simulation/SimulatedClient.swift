@testable import App

/// A user's program: it comes, goes and comes back, and sends what it has to send until it is acknowledged.
final class SimulatedClient {
  struct Sending {
    let key: String
    let conversation: Int64
    let text: String
    /// As it was acknowledged.
    var place: (seq: Int64, position: Int64)?
    var isRefused = false

    var isOver: Bool { place != nil || isRefused }
  }

  let user: Int64
  let token: String
  var line: ClientLine?
  /// How far it has heard, over all its lines; nil for one that begins with what is told from now on.
  private(set) var known: Int64?
  private(set) var sendings: [Sending] = []
  private(set) var complaints: [String] = []
  /// It takes nothing of what is sent to it.
  var isStalled = false

  init(user: Int64, token: String) {
    self.user = user
    self.token = token
  }

  /// Its line is no more. What was not heard will be asked for.
  func hangUp() {
    if let line {
      // One that had yet to ask for what it missed still has to.
      known = known ?? line.heard
      complaints += line.complaints
      // Rule 10, and 7: a client that keeps the protocol is closed for being slow, or when the server has a fault.
      if let code = line.closeCode, ![4008, 1011].contains(code.rawValue) {
        complaints.append("u\(user) was closed with \(code.rawValue)")
      }
    }
    line = nil
  }

  /// It has asked for what it has missed.
  func forgetKnown() { known = nil }

  func compose(_ key: String, to conversation: Int64, _ text: String) {
    sendings.append(Sending(key: key, conversation: conversation, text: text))
  }

  /// What waits to be sent over this line.
  func unsent() -> [Int] {
    guard let line, line.isOpen else { return [] }
    let underway = line.requests.values.compactMap { request -> String? in
      if case .send(let key) = request { key } else { nil }
    }
    return sendings.indices.filter { !sendings[$0].isOver && !underway.contains(sendings[$0].key) }
  }

  func resumes() -> Bool {
    guard let line else { return false }
    return line.requests.values.contains { if case .resume = $0 { true } else { false } }
  }

  /// The answer to a send (rules 2 and 3).
  func hear(_ key: String, _ answer: ToldEvent, _ chronicle: Chronicle) {
    guard let index = sendings.firstIndex(where: { $0.key == key }) else { return }
    let stored = chronicle.byKey[Chronicle.Key(sender: user, key: key)]
    func complain(_ what: String) { complaints.append("u\(user), \(key): \(what): \(answer.text)") }
    guard answer.type == "ok" else {
      switch answer.string("problem") {
      case "/problems/busy", "/problems/internal": break
      case "/problems/not-found" where chronicle.hasLeft(user, sendings[index].conversation):
        sendings[index].isRefused = true
      default: complain("refused")
      }
      return
    }
    guard let stored, let seq = answer.seq, let position = answer.position,
      stored.seq == seq, stored.position == position, stored.conversation == sendings[index].conversation
    else { return complain("acknowledged, but it is \(stored.map { "\($0)" } ?? "not there")") }
    if let place = sendings[index].place {
      if place != (seq, position) || !answer.isDuplicate { complain("it was \(place)") }
    }
    sendings[index].place = (seq, position)
  }
}
