import Reactor

/// Writes what the chat sends. One buffer serves all: what a function returns is valid until the next call.
struct ChatEncoder {
  var json = JSONWriter()
  var time = TimestampCache()

  // MARK: Events

  /// What a message's event begins with, up to the number of its position.
  static let messagePrefix: StaticString = "{\"type\":\"message\",\"position\":"

  struct Hello {
    let session: String
    let user: Int64
    let epoch: String
    let position: Int64
    let heartbeatMilliseconds: UInt64
    let messageBytes: Int
    let sendRate: Int?
  }

  mutating func hello(_ hello: Hello) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"hello\",\"session\":")
    json.string(hello.session)
    json.raw(",\"user\":")
    json.id(.user, hello.user)
    json.raw(",\"epoch\":")
    json.string(hello.epoch)
    json.raw(",\"position\":")
    json.integer(hello.position)
    json.raw(",\"server_time\":")
    json.time(Timestamp.now().milliseconds, &time)
    json.raw(",\"heartbeat_ms\":")
    json.integer(Int64(hello.heartbeatMilliseconds))
    json.raw(",\"typing_ms\":")
    json.integer(Int64(TypingMarks.life))
    json.raw(",\"limits\":{\"message_bytes\":")
    json.integer(Int64(hello.messageBytes))
    json.raw(",\"send_rate\":")
    if let rate = hello.sendRate { json.integer(Int64(rate)) } else { json.raw("null") }
    json.raw("}}")
    return json.borrowed
  }

  mutating func message(_ message: StoredMessage, withKey: Bool) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"message\",")
    json.messageFields(message, includingKey: withKey, &time)
    json.raw("}")
    return json.borrowed
  }

  /// A message for its sender's own sessions and, up to `cut` and with a brace in its place, for all others.
  mutating func message(_ message: StoredMessage) -> (bytes: UnsafeMutableRawBufferPointer, cut: Int) {
    json.clear()
    json.raw("{\"type\":\"message\",")
    // The position is the first of a message's fields: with what stands before it, `messagePrefix`.
    json.messageFields(message, includingKey: false, &time)
    let cut = json.bytes.count
    json.keyField(message.key)
    json.raw("}")
    return (json.bytes.withUnsafeMutableBytes { $0 }, cut)
  }

  /// - Parameter isOwn: for the sessions of the user whose receipt it is.
  /// - Returns: nil if the others see nothing of it.
  mutating func receipt(_ receipt: Receipt, isOwn: Bool) -> UnsafeRawBufferPointer? {
    guard let readSeq = isOwn ? receipt.readSeq : receipt.publicReadSeq else { return nil }
    json.clear()
    json.raw("{\"type\":\"receipt\",\"position\":")
    json.integer(receipt.position)
    json.raw(",\"conversation\":")
    json.id(.conversation, receipt.conversation)
    json.raw(",\"user\":")
    json.id(.user, receipt.user)
    json.raw(",\"received_seq\":")
    json.integer(receipt.receivedSeq)
    json.raw(",\"read_seq\":")
    json.integer(readSeq)
    json.raw("}")
    return json.borrowed
  }

  mutating func conversation(_ event: ConversationEvent) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"conversation\",\"position\":")
    json.integer(event.position)
    json.raw(",\"conversation\":")
    json.id(.conversation, event.conversation)
    json.raw(",\"change\":")
    json.string(event.change.rawValue)
    json.raw(",\"by\":")
    json.id(.user, event.by)
    if let kind = event.kind {
      json.raw(",\"kind\":")
      json.string(kind.rawValue)
    }
    if event.change == .created || event.change == .updated {
      json.raw(",\"title\":")
      if let title = event.title { json.string(title) } else { json.raw("null") }
    }
    if let user = event.user {
      json.raw(",\"user\":")
      json.id(.user, user.id)
      json.raw(",\"profile\":")
      json.person(user)
    }
    if let members = event.members {
      json.raw(",\"members\":[")
      for (index, member) in members.enumerated() {
        if index > 0 { json.raw(",") }
        json.person(member)
      }
      json.raw("]")
    }
    json.raw("}")
    return json.borrowed
  }

  mutating func consumption(_ bucket: Bucket, of device: Int64) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"consumption\",\"device\":")
    json.id(.device, device)
    json.raw(",")
    json.quarter(bucket)
    json.raw("}")
    return json.borrowed
  }

  mutating func typing(_ user: Int64, in conversation: Int64, isActive: Bool) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"typing\",\"conversation\":")
    json.id(.conversation, conversation)
    json.raw(",\"user\":")
    json.id(.user, user)
    json.raw(",\"active\":")
    json.bool(isActive)
    json.raw("}")
    return json.borrowed
  }

  /// - Parameter lastSeen: milliseconds of Unix time; of who is online, now.
  mutating func presence(_ user: Int64, isOnline: Bool, lastSeen: Int64) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"presence\",\"user\":")
    json.id(.user, user)
    json.raw(isOnline ? ",\"state\":\"online\"" : ",\"state\":\"offline\"")
    json.raw(",\"last_seen\":")
    json.time(lastSeen, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func resync(_ reason: ResyncReason) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"resync\",\"reason\":")
    json.string(reason.rawValue)
    json.raw("}")
    return json.borrowed
  }

  /// The token ends soon. The members are those of every `error`, and when it ends.
  mutating func tokenExpiring(at milliseconds: Int64) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"error\"")
    json.problemFields(Problem(.tokenExpiring, detail: "Send refresh with a new token before expires_at."))
    json.raw(",\"expires_at\":")
    json.time(milliseconds, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func alert(_ event: AlertEvent) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"alert\",\"position\":")
    json.integer(event.position)
    json.raw(",\"id\":")
    json.id(.alert, event.alert)
    json.raw(",\"device\":")
    json.id(.device, event.device)
    json.raw(",\"state\":")
    json.string(event.state.rawValue)
    json.raw(",\"value\":")
    json.kilowattHours(event.energy)
    json.raw(",\"limit\":")
    json.kilowattHours(event.limit)
    json.raw(",\"start\":")
    json.time(event.start, &time)
    json.raw(",\"end\":")
    json.time(event.end, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func heartbeat(position: Int64) -> UnsafeRawBufferPointer {
    json.clear()
    json.raw("{\"type\":\"heartbeat\",\"position\":")
    json.integer(position)
    json.raw(",\"server_time\":")
    json.time(Timestamp.now().milliseconds, &time)
    json.raw("}")
    return json.borrowed
  }

  mutating func goAway(_ reason: StaticString, reconnectAfterMilliseconds delay: UInt64)
    -> UnsafeRawBufferPointer
  {
    json.clear()
    json.raw("{\"type\":\"goaway\",\"reason\":\"")
    json.raw(reason)
    json.raw("\",\"reconnect_after_ms\":")
    json.integer(Int64(delay))
    json.raw("}")
    return json.borrowed
  }
}
