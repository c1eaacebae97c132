import Reactor

/// Those who write in rooms of others, and never go away. Room r is written in by sender r % count.
final class RoomSenders: Load {
  private var templates: [SendTemplate]
  /// The room of each message.
  private var roomOf: [Int32] = []
  /// The last `seq` of each room.
  private(set) var lastSeqs: [Int]
  /// Messages that are sent as others are acknowledged.
  private var planned = 0
  private var nextRoom = 0
  private(set) var acknowledged = 0
  private(set) var errors = 0
  private(set) var firstError: String?

  init(_ target: Target, loop: EventLoop, rooms: [Conversations.Made], textBytes: Int) throws {
    let run = SendTemplate.newRun()
    templates = rooms.map { SendTemplate(conversation: $0.id, run: run, textBytes: textBytes) }
    lastSeqs = rooms.map(\.lastSeq)
    try super.init(target, loop: loop)
  }

  /// Sends so many messages in each room, with so many under way in all.
  func sendInAll(_ messages: Int, atOnce: Int) {
    planned = messages * templates.count
    for _ in 0..<min(planned, atOnce) { sendPlanned() }
  }

  private func sendPlanned() {
    planned -= 1
    sendNext()
  }

  /// One message, in the room whose turn it is.
  func sendNext() {
    let room = nextRoom
    nextRoom = nextRoom + 1 == templates.count ? 0 : nextRoom + 1
    roomOf.append(Int32(room))
    let socket = sockets[room % sockets.count]
    templates[room].withBytes(of: roomOf.count - 1) { client.send(text: $0, to: socket) }
  }

  var isComplete: Bool { planned == 0 && acknowledged + errors == roomOf.count }

  override func received(_ connection: Int, _ bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: #"{"type":"ok""#) {
      guard let answer = SendAnswer(bytes), answer.number < roomOf.count else {
        errors += 1
        return
      }
      let room = Int(roomOf[answer.number])
      lastSeqs[room] = max(lastSeqs[room], answer.seq)
      acknowledged += 1
      if planned > 0 { sendPlanned() }
    } else if bytes.starts(with: #"{"type":"error""#) {
      errors += 1
      if firstError == nil { firstError = String(decoding: bytes, as: UTF8.self) }
    }
  }
}
