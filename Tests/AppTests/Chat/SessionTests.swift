import Testing

@testable import App
@testable import Reactor

@Suite struct `The sessions` {
  private func socket(_ slot: Int, _ generation: UInt32 = 1) -> WebSocketID {
    WebSocketID(SourceID(slot: UInt32(slot), generation: generation))
  }

  private func sockets(_ sessions: Sessions, of user: Int64) -> Set<Int> {
    var found: Set<Int> = []
    sessions.forEach(of: user) { found.insert($0.slot) }
    return found
  }

  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]])
  func `find all sockets of a user, in whatever order they close`(_ order: [Int]) {
    var sessions = Sessions()
    for slot in 0..<3 {
      sessions.open(socket(slot))
      sessions.authenticate(socket(slot), user: 7, session: 1)
    }
    sessions.open(socket(3))
    sessions.authenticate(socket(3), user: 8, session: 1)
    var left: Set = [0, 1, 2]
    #expect(sockets(sessions, of: 7) == left)
    for slot in order {
      sessions.close(socket(slot))
      left.remove(slot)
      #expect(sockets(sessions, of: 7) == left && sockets(sessions, of: 8) == [3])
    }
    #expect(sessions.count == 1)
  }

  @Test func `know a socket by its generation, not by its slot`() {
    var sessions = Sessions()
    sessions.open(socket(0, 1))
    sessions.authenticate(socket(0, 1), user: 7, session: 1)
    sessions.close(socket(0, 1))
    sessions.open(socket(0, 2))
    #expect(sessions[socket(0, 1)] == nil && sessions[socket(0, 2)]?.user == 0)
    sessions.close(socket(0, 1))
    #expect(sessions.count == 1)
  }

  @Test func `let a user send as many messages as the rate says`() {
    var allowance = Allowance()
    var passed = 0
    for now in UInt64(10_000)..<13_000 where allowance.spend(rate: 10, now: now) == nil { passed += 1 }
    // Ten at once, and ten in each of the three seconds.
    #expect(passed == 40 || passed == 39)
    _ = allowance.spend(rate: 10, now: 13_000)
    #expect(allowance.spend(rate: 10, now: 13_000) ?? 0 > 0)
    #expect(allowance.spend(rate: 10, now: 14_000) == nil)
  }
}
