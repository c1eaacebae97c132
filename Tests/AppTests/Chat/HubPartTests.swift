import Testing

@testable import App
@testable import Reactor

@Suite struct `The ring of events` {
  private func append(
    _ ring: inout EventRing, _ text: String, at position: Int64, for audience: Audience, cut: Int = 0
  ) {
    var bytes = Array(text.utf8)
    bytes.withUnsafeMutableBytes { ring.append($0, cut: cut, at: position, for: audience) }
  }

  private func seen(_ ring: inout EventRing, _ user: Int64, after position: Int64 = 0) -> [String] {
    var found: [String] = []
    _ = ring.visit(after: position, for: user) {
      found.append(String(decoding: $0, as: UTF8.self))
      return true
    }
    return found
  }

  @Test func `gives each user what is for it, from a position on`() {
    var ring = EventRing(after: 10)
    let members = MemberList([1, 2, 3])
    append(&ring, #"{"a":1,"key":"k"}"#, at: 11, for: Audience(members: members, own: 1), cut: 6)
    append(&ring, #"{"b":2}"#, at: 12, for: Audience(members: members, own: 2, reach: .others))
    append(&ring, #"{"c":3}"#, at: 12, for: Audience(members: members, own: 2, reach: .own))
    append(&ring, #"{"d":4}"#, at: 13, for: Audience(members: MemberList([3])))
    #expect(seen(&ring, 1) == [#"{"a":1,"key":"k"}"#, #"{"b":2}"#])
    #expect(seen(&ring, 2) == [#"{"a":1}"#, #"{"c":3}"#])
    #expect(seen(&ring, 3, after: 11) == [#"{"b":2}"#, #"{"d":4}"#])
    #expect(seen(&ring, 4) == [] && ring.start == 10)
    #expect(seen(&ring, 2) == [#"{"a":1}"#, #"{"c":3}"#], "the cut is undone")
  }

  @Test func `shows a message as it stands now, in the place of each of its events`() {
    var ring = EventRing(after: 0)
    let audience = Audience(members: MemberList([1, 2]), own: 1)
    func event(_ position: Int, _ text: String) -> String {
      #"{"type":"message","position":\#(position),"text":"\#(text)"}"#
    }
    func append(_ position: Int, _ text: String, previous: Int64) {
      var bytes = Array(event(position, text).utf8)
      bytes.withUnsafeMutableBytes {
        ring.append($0, cut: 0, at: Int64(position), for: audience, previous: previous)
      }
    }
    append(1, "first", previous: 0)
    append(2, "another", previous: 0)
    append(3, "second", previous: 1)
    append(4, "", previous: 3)
    #expect(seen(&ring, 2) == [event(1, ""), event(2, "another"), event(3, ""), event(4, "")])
    append(5, "third", previous: 4)
    #expect(seen(&ring, 1) == [1, 3, 4, 5].map { event($0, "third") }.inserting(event(2, "another"), at: 1))
  }

  @Test func `shows nobody what was said when it had left`() {
    var ring = EventRing(after: 0)
    func append(_ position: Int64, _ members: [Int64], previous: Int64) {
      var bytes = Array(#"{"type":"message","position":\#(position),"text":"at \#(position)"}"#.utf8)
      bytes.withUnsafeMutableBytes {
        ring.append(
          $0, cut: 0, at: position, for: Audience(members: MemberList(members), own: 2), previous: previous)
      }
    }
    append(1, [1, 2], previous: 0)
    append(2, [1], previous: 1)
    #expect(seen(&ring, 2) == [] && seen(&ring, 1).count == 2)
  }

  @Test func `stops where it is told to, and goes on from there`() {
    var ring = EventRing(after: 0)
    for position in 1...5 {
      append(&ring, "\(position)", at: Int64(position), for: Audience(members: MemberList([1])))
    }
    var found: [String] = []
    let left = ring.visit(after: 1, for: 1) {
      found.append(String(decoding: $0, as: UTF8.self))
      return found.count < 2
    }
    #expect(left == 3 && found == ["2", "3"])
    #expect(seen(&ring, 1, after: 3) == ["4", "5"])
  }

  @Test func `lets the oldest go, and says from where it is whole`() {
    var ring = EventRing(after: 0, segments: 2)
    let text = String(repeating: "x", count: EventRing.segmentBytes / 2)
    for position in 1...7 {
      append(&ring, text, at: Int64(position), for: Audience(members: MemberList([1])))
    }
    #expect(ring.start == 4)
    #expect(seen(&ring, 1, after: ring.start).count == 3)
  }
}

extension Array {
  fileprivate func inserting(_ element: Element, at index: Int) -> [Element] {
    var copy = self
    copy.insert(element, at: index)
    return copy
  }
}

@Suite struct `Telling` {
  @Test func `encodes a message once for a thousand members who are there`() throws {
    let loop = try EventLoop()
    let server = Server(loop: loop) { status, _, _ in Response(status) }
    let hub = Hub(server: server, epoch: "e", position: 0, limits: Hub.Limits()) { _ in true }
    let users = [Int64](1...1000)
    for user in users {
      let socket = WebSocketID(SourceID(slot: UInt32(user), generation: 1))
      hub.sessions.open(socket)
      hub.sessions.authenticate(socket, user: user, session: user)
      hub.sessions.setFloor(0, of: socket)
    }
    let text = String(repeating: "t", count: 1000)
    let message = SystemMessage(
      kind: .alert, conversation: 1, seq: 1, position: 1, sender: 0, timestamp: 0, text: text,
      members: MemberList(users))
    // All that is sent in a tick lies in one place, so the distance is its length.
    let before = server.outbox.reserve(1)
    hub.tell(message)
    let length = server.outbox.reserve(1) - before
    #expect((1000..<1300).contains(length))
  }
}

@Suite struct `Typing marks` {
  private let mark = TypingMarks.Mark(user: 1, conversation: 2)

  @Test func `end after their life, or when they are ended`() {
    var marks = TypingMarks()
    let isSet = marks.set(mark, now: 1000)
    #expect(isSet && marks.next == 1000 + TypingMarks.life)
    let early = marks.expired(now: 1000 + TypingMarks.life - 1)
    let due = marks.expired(now: 1000 + TypingMarks.life)
    #expect(early == [] && due == [mark] && marks.next == nil)
    let isSetAgain = marks.set(mark, now: 9000)
    let ends = [marks.end(mark), marks.end(mark)]
    let left = marks.expired(now: 99_000)
    #expect(isSetAgain && ends == [true, false] && left == [])
  }

  @Test func `live on when they are renewed`() {
    var marks = TypingMarks()
    let sets = [marks.set(mark, now: 0), marks.set(mark, now: 4000)]
    let early = marks.expired(now: TypingMarks.life)
    let due = marks.expired(now: TypingMarks.life + 4000)
    #expect(sets == [true, true] && early == [] && due == [mark])
  }
}

@Suite struct `Rates` {
  @Test func `are a user's, whatever its connections do`() {
    var rates = SendRates()
    for user in 1...5000 as ClosedRange<Int64> {
      let waits = [10_000, 10_500, 11_001].map { rates.spend(user, rate: 1, now: $0) }
      #expect(waits[0] == nil && waits[1] ?? 0 > 0 && waits[2] == nil)
    }
  }
}
