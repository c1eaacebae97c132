/// The `ok` of a `send`, so far as a load looks at it.
struct SendAnswer {
  /// The request's `id`, which is the message's number.
  let number: Int
  let seq: Int

  init?(_ bytes: UnsafeRawBufferPointer) {
    var scan = Scan(bytes)
    guard scan.skip(#"{"type":"ok","id":""#), let number = scan.number(),
      scan.skip(#"","seq":"#), let seq = scan.number()
    else { return nil }
    self.number = number
    self.seq = seq
  }
}

/// An event `message`, so far as a load looks at it.
struct MessageEvent {
  let position: Int
  let seq: Int
  private let rest: UnsafeRawBufferPointer

  init?(_ bytes: UnsafeRawBufferPointer) {
    var scan = Scan(bytes)
    guard scan.skip(#"{"type":"message","position":"#), let position = scan.number(),
      scan.skip(#","conversation":""#), scan.string() != nil,
      scan.skip(#","seq":"#), let seq = scan.number()
    else { return nil }
    self.position = position
    self.seq = seq
    rest = scan.rest
  }

  /// The message's number, with which its text begins.
  var number: Int? { rest.number(after: #""text":""#) }
}

/// The event `hello`, so far as a load looks at it.
struct Hello {
  let epoch: String
  let position: Int

  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.starts(with: #"{"type":"hello""#), let position = bytes.number(after: #""position":"#),
      var scan = bytes.scan(after: #""epoch":""#), let epoch = scan.string()
    else { return nil }
    self.epoch = String(decoding: epoch, as: UTF8.self)
    self.position = position
  }
}
