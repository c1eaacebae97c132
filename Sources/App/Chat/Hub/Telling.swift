import Reactor

/// What the hub tells, and whom. An event of the store is encoded once, kept in the ring, and given to all sockets of its
/// audience that are live.
extension Hub {
  // MARK: Events of the store

  /// A new message. Its sender's other sessions see its key, too.
  /// - Parameter previous: of a changed one, the position of its event before.
  func tell(
    _ message: StoredMessage, _ members: MemberList, except origin: WebSocketID?, previous: Int64 = 0
  ) {
    let (bytes, cut) = encoder.message(message)
    let audience = Audience(members: members, own: message.key.isEmpty ? -1 : message.sender)
    let deliveries = broadcast(
      bytes, cut: message.key.isEmpty ? 0 : cut, at: message.position, to: audience, except: origin,
      previous: previous)
    // One that is told anew was changed.
    if previous == 0 { metrics.deliveries += deliveries }
  }

  /// The server has said something.
  func tell(_ message: SystemMessage) {
    var text = message.text
    text.withUTF8 {
      tell(StoredMessage(message, UnsafeRawBufferPointer($0)), message.members, except: nil)
    }
    metrics.noticeOwnMessage()
    stored(1)
  }

  func tell(_ effect: PublishBatch.Effect, _ members: MemberList, except origin: WebSocketID?) {
    switch effect {
    case .message(let message):
      message.withStored { tell($0, members, except: origin, previous: message.previousPosition) }
    case .receipt(let receipt): tell(receipt, members, except: origin)
    }
  }

  private func tell(_ receipt: Receipt, _ members: MemberList, except origin: WebSocketID?) {
    var audience = Audience(members: members, own: receipt.user)
    if let publicReadSeq = receipt.publicReadSeq, publicReadSeq == receipt.readSeq {
      return broadcast(
        encoder.receipt(receipt, isOwn: true), at: receipt.position, to: audience, except: origin)
    }
    if receipt.publicReadSeq != nil {
      audience.reach = .others
      broadcast(encoder.receipt(receipt, isOwn: false), at: receipt.position, to: audience, except: origin)
    }
    audience.reach = .own
    broadcast(encoder.receipt(receipt, isOwn: true), at: receipt.position, to: audience, except: origin)
  }

  func tell(_ event: ConversationEvent) {
    rooms?.forget(event.conversation)
    if event.change == .memberRemoved, let user = event.user?.id {
      noticeRemoval(of: user, at: event.position)
    }
    broadcast(
      encoder.conversation(event), at: event.position, to: Audience(members: event.recipients), except: nil)
  }

  /// Something has happened to an alert.
  func tell(_ event: AlertEvent) {
    broadcast(
      encoder.alert(event), at: event.position, to: Audience(members: MemberList(event.recipients)),
      except: nil)
  }

  private func broadcast(
    _ bytes: UnsafeRawBufferPointer?, at position: Int64, to audience: Audience, except origin: WebSocketID?
  ) {
    guard let bytes else { return }
    broadcast(
      UnsafeMutableRawBufferPointer(mutating: bytes), cut: 0, at: position, to: audience, except: origin)
  }

  /// Returns the number of sockets that are given it.
  /// - Parameter cut: where the part begins that only the audience's own user sees; 0 if all see all.
  @discardableResult
  private func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, cut: Int, at position: Int64, to audience: Audience,
    except origin: WebSocketID?, previous: Int64 = 0
  ) -> UInt64 {
    ring.append(bytes, cut: cut, at: position, for: audience, previous: previous)
    self.position = position
    let count = send(bytes, cut: cut, at: position, to: audience, except: origin)
    guard let resumptions, resumptions.hasHeld else { return count }
    for user in audience.members.users where audience.includes(user) {
      sessions.forEach(of: user) { resumptions.waits($0, bytes.count) }
    }
    return count
  }

  /// To the sockets that are live.
  private func send(
    _ bytes: UnsafeMutableRawBufferPointer, cut: Int, at position: Int64, to audience: Audience,
    except origin: WebSocketID?
  ) -> UInt64 {
    var count: UInt64 = 0
    var shared: WebSocketFrame?
    if audience.reach != .own {
      for user in audience.members.users where user != audience.own {
        sessions.forEach(of: user, awaiting: position) { socket in
          let frame = shared ?? bytes.withPart(cut: cut, isOwn: false) { server.frame(text: $0) }
          shared = frame
          count += 1
          server.send(frame, to: socket)
        }
      }
    }
    // A sender may have left since: then its message is not its own to see any more.
    guard audience.includes(audience.own) else { return count }
    var own: WebSocketFrame?
    sessions.forEach(of: audience.own, awaiting: position) { socket in
      if socket == origin { return }
      let frame = own ?? server.frame(text: UnsafeRawBufferPointer(bytes))
      own = frame
      count += 1
      server.send(frame, to: socket)
    }
    return count
  }

  // MARK: What is not stored

  /// Of a peer for which much waits already, what it can do without is dropped first.
  func sendEphemeral(_ frame: WebSocketFrame, to socket: WebSocketID) {
    if !server.isBehind(socket) { server.send(frame, to: socket) }
  }

  func tellTyping(_ user: Int64, in conversation: Int64, isActive: Bool, _ members: MemberList) {
    let frame = server.frame(text: encoder.typing(user, in: conversation, isActive: isActive))
    for member in members.users where member != user {
      sessions.forEach(of: member) { sendEphemeral(frame, to: $0) }
    }
  }

  func tellPresence(_ user: Int64, isOnline: Bool, lastSeen: Int64, to peers: [Int64]) {
    if peers.isEmpty { return }
    let frame = presenceFrame(user, isOnline: isOnline, lastSeen: lastSeen)
    for peer in peers { sessions.forEach(of: peer) { sendEphemeral(frame, to: $0) } }
  }

  func presenceFrame(_ user: Int64, isOnline: Bool, lastSeen: Int64) -> WebSocketFrame {
    server.frame(text: encoder.presence(user, isOnline: isOnline, lastSeen: lastSeen))
  }

  /// A quarter hour of a watched device.
  func tell(_ bucket: Bucket, of device: Int64) {
    var frame: WebSocketFrame?
    watches?.forEach(of: device) { socket in
      let shared = frame ?? server.frame(text: encoder.consumption(bucket, of: device))
      frame = shared
      sendEphemeral(shared, to: socket)
    }
  }

  // MARK: One socket

  func answerResume(_ request: [UInt8], at position: Int64, _ socket: WebSocketID) {
    let answer = request.withUnsafeBytes { id in
      encoder.ok(id) { json, _ in
        json.raw(",\"position\":")
        json.integer(position)
      }
    }
    server.send(text: answer, to: socket)
  }

  func tellResync(_ reason: ResyncReason, _ socket: WebSocketID) {
    server.send(text: encoder.resync(reason), to: socket)
  }

  /// Closes the sockets of a user whose tokens are dead, or those of one session alone.
  func close(_ user: Int64, session: Int64? = nil, _ code: CloseCode, _ reason: String) {
    // Gathered first, for each that closes leaves the chain.
    var dead: [WebSocketID] = []
    sessions.forEach(of: user) { socket in
      if session == nil || sessions[socket]?.tokenSession == session { dead.append(socket) }
    }
    for socket in dead { server.close(socket, code, reason) }
  }

  // MARK: Typing

  /// - Parameter members: of the conversation; the user is one.
  func setTyping(_ user: Int64, in conversation: Int64, isActive: Bool, _ members: MemberList) {
    let mark = TypingMarks.Mark(user: user, conversation: conversation)
    guard isActive else { return endTyping(user, in: conversation, members) }
    guard typing.set(mark, now: server.loop.now) else { return }
    if let next = typing.next { server.loop.setTimer(of: typingTimer, at: next) }
    tellTyping(user, in: conversation, isActive: true, members)
  }

  /// With the user's message, or when it says so.
  func endTyping(_ user: Int64, in conversation: Int64, _ members: MemberList) {
    guard typing.end(TypingMarks.Mark(user: user, conversation: conversation)) else { return }
    tellTyping(user, in: conversation, isActive: false, members)
  }

  /// Those whose time has come.
  func endTyping() {
    for mark in typing.expired(now: server.loop.now) {
      _ = rooms?.find(mark.conversation) { [unowned self] members in
        guard let members else { return }
        tellTyping(mark.user, in: mark.conversation, isActive: false, members)
      }
    }
    if let next = typing.next { server.loop.setTimer(of: typingTimer, at: next) }
  }
}
