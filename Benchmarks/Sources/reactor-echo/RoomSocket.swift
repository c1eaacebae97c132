import Reactor

/// Publishes each message to every member of the sender's room, the sender too.
final class RoomSocket: WebSocketHandler {
  private final class Room {
    let name: String
    var members: [WebSocketID] = []
    init(name: String) { self.name = name }
  }

  /// Where a socket stands in its room, so that it leaves without a search.
  private struct Seat {
    let room: Room
    var index: Int
  }

  private let server: Server
  private var rooms: [String: Room] = [:]
  /// By the socket's slot.
  private var seats: [Seat?] = []

  init(server: Server) { self.server = server }

  override func accept(_ request: borrowing RequestView) -> WebSocketVerdict {
    .accept(subprotocol: nil, context: request.parameters.first)
  }

  override func opened(_ socket: WebSocketID, context: (any Sendable)?) {
    let room = room(named: context as? String ?? "")
    while seats.count <= socket.slot { seats.append(nil) }
    seats[socket.slot] = Seat(room: room, index: room.members.count)
    room.members.append(socket)
  }

  private func room(named name: String) -> Room {
    if let room = rooms[name] { return room }
    let room = Room(name: name)
    rooms[name] = room
    return room
  }

  override func received(_ socket: WebSocketID, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
    guard let room = seats[socket.slot]?.room else { return }
    let frame = isText ? server.frame(text: bytes) : server.frame(binary: bytes)
    for member in room.members { server.send(frame, to: member) }
  }

  override func closed(_ socket: WebSocketID) {
    guard let seat = seats[socket.slot] else { return }
    seats[socket.slot] = nil
    let last = seat.room.members.removeLast()
    if last != socket {
      seat.room.members[seat.index] = last
      seats[last.slot]?.index = seat.index
    }
    if seat.room.members.isEmpty { rooms[seat.room.name] = nil }
  }
}
