/// One request on its way: while its body comes, and while a handler off the fast path has it.
final class HTTPExchange {
  /// A responder that is late finds another number here, and its answer is dropped.
  let number: UInt32
  let head: RequestHead
  let headBytes: [UInt8]
  let match: Router.Match
  let context: (any Sendable)?
  var decoder: BodyDecoder
  private(set) var body: [UInt8] = []
  private let budget: BodyBudget?
  /// Of a body that its handler pulls.
  var intake: BodyIntake?
  /// Of an answer that is streamed: it is under way.
  var stream: AnswerStream?
  /// The answer has left already (a gate refused, or a handler did not wait): the rest of the body is thrown away.
  var isAnswered = false
  /// If the connection ends with this answer: why.
  var closeReason = CloseReason.ended

  init(
    number: UInt32, head: RequestHead, headBytes: [UInt8], match: Router.Match, context: (any Sendable)?,
    decoder: BodyDecoder, budget: BodyBudget
  ) {
    self.number = number
    self.head = head
    self.headBytes = headBytes
    self.match = match
    self.context = context
    self.decoder = decoder
    self.budget = budget
  }

  /// For a handler on the loop that answers later: what the answer needs to know of the request.
  init(number: UInt32, of view: borrowing RequestView, _ discarding: Router.Match) {
    self.number = number
    head = view.head
    headBytes = []
    match = discarding
    context = nil
    decoder = BodyDecoder()
    budget = nil
  }

  deinit { budget?.release(body.count) }

  /// False if there is no room for it.
  func take(_ content: UnsafeRawBufferPointer) -> Bool {
    if let intake {
      intake.append(content)
      return true
    }
    if isAnswered { return true }
    guard budget?.grow(body.count, by: content.count) != false else { return false }
    body.append(contentsOf: content)
    return true
  }
}

extension Request {
  init(_ exchange: HTTPExchange) {
    self.init(
      head: exchange.head, headBytes: exchange.headBytes, body: exchange.body,
      parameters: exchange.match.parameters, context: exchange.context)
  }
}
