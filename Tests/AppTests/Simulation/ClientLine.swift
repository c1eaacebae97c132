@testable import App
@testable import Reactor

/// One connection of a client: what it has asked for, how far it has heard, and whether that keeps the rules.
final class ClientLine {
  enum Request {
    case send(key: String)
    /// An edit or a deletion.
    case change
    case mark
    case resume(from: Int64)
    /// Something in a conversation of others.
    case forbidden
    case other
  }

  let user: Int64
  let socket: SimulatedSocket
  private var inbox: [UInt8] = []
  private var isUpgraded = false
  private var machine = WebSocketMachine(role: .client)
  /// All events up to here that are for it have come; nil before `hello`.
  private(set) var cursor: Int64?
  /// From where a resume goes whose events are still to come.
  private var rewind: Int64?
  private var cursorAtResume: Int64?
  private(set) var epoch = ""
  private(set) var requests: [String: Request] = [:]
  /// Where what was asked for over this line was stored: `ok` says it, and no event does.
  private var answered: Set<Int64> = []
  private var hasMarked = false
  private(set) var closeCode: CloseCode?
  var complaints: [String] = []

  init(user: Int64, token: String, socket: SimulatedSocket) {
    self.user = user
    self.socket = socket
    socket.send(
      Array(
        """
        GET /api/v1/ws HTTP/1.1\r
        Host: wattloop\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
        Authorization: Bearer \(token)\r
        \r\n
        """.utf8))
  }

  /// `hello` has come, and the line is not closing.
  var isOpen: Bool { cursor != nil && !isOver }
  /// Nothing more will come.
  var isOver: Bool { closeCode != nil || (socket.isEnded && !socket.hasReturning) }
  /// No resume is under way, so events go on behind the cursor.
  var isSteady: Bool { rewind == nil }
  /// From where it would have to be told again if it ended now.
  var heard: Int64? { rewind ?? cursor }

  // MARK: Asking

  func ask(_ request: Request, id: String, _ body: String) {
    requests[id] = request
    if case .resume(let position) = request {
      rewind = position
      cursorAtResume = cursor
    }
    if case .mark = request { hasMarked = true }
    send(.text, Array("{\"id\":\"\(id)\",\(body)}".utf8))
  }

  private func send(_ opcode: Opcode, _ payload: [UInt8]) {
    var frame: [UInt8] = [0x80 | opcode.rawValue]
    // RFC 6455 §5.2; the client's frames are masked, here by the key 0.
    if payload.count < 126 {
      frame.append(0x80 | UInt8(payload.count))
    } else {
      frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    }
    socket.send(frame + [0, 0, 0, 0] + payload)
  }

  // MARK: Hearing

  /// Takes bytes of the server's. `heard` is given each answer to a request.
  func receive(_ bytes: [UInt8], _ chronicle: Chronicle, answered heard: (Request, ToldEvent) -> Void) {
    inbox += bytes
    if !isUpgraded, !upgrade() { return }
    var input = inbox
    var taken = 0
    input.withUnsafeMutableBytes { buffer in
      do {
        while true {
          var consumed = 0
          let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[taken...])
          let step = try machine.next(rest, consumed: &consumed, limits: Limits().messageLimits)
          taken += consumed
          switch step {
          case .needMore: return
          case .message(let message, _): hear(try ToldEvent(message), chronicle, heard)
          case .compressed: complaints.append("u\(user) heard a compressed message, without an agreement")
          case .ping(let payload): send(.pong, Array(payload))
          case .pong: break
          case .close(let code, _):
            closeCode = code ?? CloseCode(rawValue: 1005)
            send(.close, [])
          }
        }
      } catch {
        complaints.append("u\(user) cannot read what it is sent: \(error)")
      }
    }
    inbox.removeFirst(taken)
  }

  private func upgrade() -> Bool {
    guard let end = inbox.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
    if !inbox.starts(with: Array("HTTP/1.1 101".utf8)) { complaints.append("u\(user) was not let in") }
    inbox.removeFirst(end.upperBound)
    isUpgraded = true
    return true
  }

  private func hear(_ event: ToldEvent, _ chronicle: Chronicle, _ heard: (Request, ToldEvent) -> Void) {
    if let id = event.id {
      // Rule: exactly one answer, and only to who has asked.
      guard let request = requests.removeValue(forKey: id) else {
        return complaints.append("u\(user) is answered what it has not asked: \(event.text)")
      }
      answer(request, event, chronicle)
      return heard(request, event)
    }
    switch event.type {
    case "hello":
      if cursor != nil || event.number("user", .user) != user { complaint("a wrong hello", event) }
      cursor = event.position
      epoch = event.string("epoch") ?? ""
    case "message", "receipt", "conversation": story(event, chronicle)
    case "heartbeat": if isSteady { advance(to: event.position ?? 0, chronicle, event) }
    case "typing":
      // Rule 6.
      if let conversation = event.number("conversation", .conversation),
        event.number("user", .user) == user || !chronicle.hasBeenMember(user, of: conversation)
      {
        complaint("typing of others", event)
      }
    case "presence": break
    default: complaint("nothing that should come here", event)
    }
  }

  private func complaint(_ what: String, _ event: ToldEvent) {
    complaints.append("u\(user) at \(cursor ?? -1): \(what): \(event.text)")
  }

  /// An event of the store (rules 1, 2, 4 and 6).
  private func story(_ event: ToldEvent, _ chronicle: Chronicle) {
    guard let position = event.position, let known = chronicle.event(at: position) else {
      return complaint("nobody has committed this", event)
    }
    if !chronicle.isFor(user, known) { complaint("this is not for it", event) }
    if let rewind, position <= cursor ?? -1 {
      cursor = rewind
      self.rewind = nil
      isRewound = true
    }
    if position <= cursor ?? -1 { return complaint("a repeat", event) }
    advance(to: position - 1, chronicle, event)
    cursor = position
    check(event, known, chronicle)
  }

  /// A resume's answer is still to come, and its events come already.
  private var isRewound = false

  /// All up to there must have come.
  private func advance(to position: Int64, _ chronicle: Chronicle, _ event: ToldEvent) {
    guard let cursor, position > cursor else { return }
    for owed in chronicle.owed(to: user, after: cursor, before: position + 1) where !isAnswered(owed) {
      complaint("it was not told \(owed)", event)
    }
    self.cursor = position
  }

  /// What it should have heard since then.
  func owed(after position: Int64, _ chronicle: Chronicle) -> [Chronicle.Event] {
    chronicle.owed(to: user, after: position, before: .max).filter { !isAnswered($0) }
  }

  /// What a line asks for it is not told: the answer says it.
  private func isAnswered(_ event: Chronicle.Event) -> Bool {
    if event.author != user { return false }
    if case .receipt = event.happening { return hasMarked }
    return answered.contains(event.position)
  }

  private func check(_ event: ToldEvent, _ known: Chronicle.Event, _ chronicle: Chronicle) {
    if event.number("conversation", .conversation) != known.conversation {
      complaint("it is \(known)", event)
    }
    switch known.happening {
    case .message(let key):
      let place = Chronicle.Place(conversation: known.conversation, seq: known.seq)
      let isText = chronicle.texts[place]?.contains(event.string("text") ?? "") ?? false
      let isKey = event.string("key") == (known.author == user ? key : nil)
      if event.seq != known.seq || event.number("sender", .user) != known.author || !isText || !isKey {
        complaint("it is \(known)", event)
      }
    case .receipt(let received, let read, let publicRead):
      let shown = known.author == user ? read : publicRead
      if event.number("received_seq") != received || event.number("read_seq") != shown {
        complaint("it is \(known)", event)
      }
    case .change: if event.seq != known.seq { complaint("it is \(known)", event) }
    case .created, .updated, .joined, .left: break
    }
  }

  private func answer(_ request: Request, _ event: ToldEvent, _ chronicle: Chronicle) {
    switch request {
    case .resume(let from):
      // Nothing is lost, and nothing here is too much: it is never told to begin anew.
      guard event.type == "ok", let position = event.position else { return complaint("no resume", event) }
      // What it had heard when it asked it must hear again; then the first of that has rewound it.
      let repeated = chronicle.owed(to: user, after: from, before: (cursorAtResume ?? from) + 1)
      if !isRewound, let owed = repeated.first(where: { !isAnswered($0) }) {
        complaint("it was not told again \(owed)", event)
      }
      isRewound = false
      rewind = nil
      advance(to: position, chronicle, event)
    case .send, .change: if event.type == "ok", let position = event.position { answered.insert(position) }
    case .forbidden:
      // Rule 6.
      if !["/problems/not-found", "/problems/busy"].contains(event.string("problem")) {
        complaint("a stranger is answered", event)
      }
    case .mark, .other: break
    }
  }
}
