import Reactor

/// A request as it came over a socket: the fields that any of them has. Text lies in the receive buffer, still escaped.
struct ChatRequest {
  struct Text {
    let content: UnsafeRawBufferPointer
    let hasEscapes: Bool

    func unescaped() -> [UInt8] {
      var bytes: [UInt8] = []
      JSONString.unescape(content, into: &bytes)
      return bytes
    }
  }

  /// A request's id that outlives its frame, until the answer.
  struct KeptID: Sendable {
    private let content: [UInt8]

    init(_ id: Text) { content = [UInt8](id.content) }

    func withText(_ body: (Text) -> Void) {
      content.withUnsafeBytes { body(Text(content: $0, hasEscapes: false)) }
    }
  }

  enum Kind {
    case auth, refresh, resume, send, edit, delete, received, read, typing, history, watch, unwatch, ping
    case unknown
  }

  var kind: Kind?
  var id: Text?
  var token: Text?
  var conversation: Text?
  var key: Text?
  var text: Text?
  var replyTo: Int64?
  var beforeSeq: Int64?
  var afterSeq: Int64?
  var limit: Int64?
  var seq: Int64?
  var position: Int64?
  var epoch: Text?
  var device: Text?
  var active: Bool?
  var isPrivate: Bool?
  /// A field that has a value of the wrong type.
  var wrongField: StaticString?

  init(_ bytes: UnsafeRawBufferPointer) throws(JSONReader.Failure) {
    var reader = JSONReader(bytes)
    try reader.readObject { (name, value) throws(JSONReader.Failure) in self.take(name, value) }
  }

  private mutating func take(_ name: UnsafeRawBufferPointer, _ value: JSONReader.Value) {
    if known(name, value) || !name.contains(UInt8(ascii: "\\")) { return }
    // The same name, written with escapes (RFC 8259 §8.3).
    var plain: [UInt8] = []
    JSONString.unescape(name, into: &plain)
    plain.withUnsafeBytes { _ = known($0, value) }
  }

  /// False for a name that says nothing here.
  private mutating func known(_ name: UnsafeRawBufferPointer, _ value: JSONReader.Value) -> Bool {
    // A switch over the lengths first: most names differ in it, and a comparison is then one memcmp.
    switch name.count {
    case 2 where name.equals("id"): id = string(value, "id")
    case 3 where name.equals("key"): key = string(value, "key")
    case 3 where name.equals("seq"): seq = integer(value, "seq")
    case 4 where name.equals("type"): takeKind(value)
    case 4 where name.equals("text"): text = string(value, "text")
    case 5 where name.equals("token"): token = string(value, "token")
    case 5 where name.equals("limit"): limit = integer(value, "limit")
    case 5 where name.equals("epoch"): epoch = string(value, "epoch")
    case 6 where name.equals("device"): device = string(value, "device")
    case 6 where name.equals("active"): active = bool(value, "active")
    case 7 where name.equals("private"): isPrivate = bool(value, "private")
    case 8 where name.equals("position"): position = integer(value, "position")
    case 8 where name.equals("reply_to"): replyTo = integer(value, "reply_to")
    case 9 where name.equals("after_seq"): afterSeq = integer(value, "after_seq")
    case 10 where name.equals("before_seq"): beforeSeq = integer(value, "before_seq")
    case 12 where name.equals("conversation"): conversation = string(value, "conversation")
    default: return false
    }
    return true
  }

  private mutating func takeKind(_ value: JSONReader.Value) {
    guard case .string(let name, _) = value else {
      wrongField = "type"
      return
    }
    kind = Self.kind(name)
  }

  /// By the length first, as for the members' names: a request is known by two comparisons.
  private static func kind(_ name: UnsafeRawBufferPointer) -> Kind {
    switch name.count {
    case 4 where name.equals("send"): .send
    case 4 where name.equals("read"): .read
    case 4 where name.equals("edit"): .edit
    case 4 where name.equals("ping"): .ping
    case 4 where name.equals("auth"): .auth
    case 5 where name.equals("watch"): .watch
    case 6 where name.equals("typing"): .typing
    case 6 where name.equals("resume"): .resume
    case 6 where name.equals("delete"): .delete
    case 7 where name.equals("history"): .history
    case 7 where name.equals("refresh"): .refresh
    case 7 where name.equals("unwatch"): .unwatch
    case 8 where name.equals("received"): .received
    default: .unknown
    }
  }

  private mutating func string(_ value: JSONReader.Value, _ name: StaticString) -> Text? {
    switch value {
    case .string(let content, let hasEscapes): return Text(content: content, hasEscapes: hasEscapes)
    case .null: return nil
    case .integer, .decimal, .bool, .other:
      wrongField = name
      return nil
    }
  }

  private mutating func bool(_ value: JSONReader.Value, _ name: StaticString) -> Bool? {
    switch value {
    case .bool(let bool): return bool
    case .null: return nil
    case .string, .integer, .decimal, .other:
      wrongField = name
      return nil
    }
  }

  private mutating func integer(_ value: JSONReader.Value, _ name: StaticString) -> Int64? {
    switch value {
    case .integer(let number): return number
    case .decimal(let bytes):
      // 41.0 and 4.1e1 are whole numbers (JSON Schema Core §4.2.3).
      if let number = DecimalNumber.parse(bytes).flatMap(Int64.init(exactly:)) { return number }
      wrongField = name
      return nil
    case .null: return nil
    case .string, .bool, .other:
      wrongField = name
      return nil
    }
  }
}

extension UnsafeRawBufferPointer {
  @inline(__always)
  func equals(_ text: StaticString) -> Bool {
    elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
