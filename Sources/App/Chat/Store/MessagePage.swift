/// Which messages of a conversation are asked for: a page before or after a `seq`, or the newest.
struct MessagePage: Sendable {
  enum Bound: Sendable {
    case before(Int64)
    case after(Int64)
    case newest
  }

  let bound: Bound
  let limit: Int64

  /// More than 500 messages are never a page: a larger `limit` gives 500.
  /// - Throws: `validation` for a bound or a limit out of range, or for two bounds.
  init(before: Int64?, after: Int64?, limit: Int64?) throws(Problem) {
    switch (before, after) {
    case (.some, .some): throw .validation("/before_seq", "must not stand beside after_seq")
    case (let seq?, nil): bound = .before(seq)
    case (nil, let seq?): bound = .after(seq)
    case (nil, nil): bound = .newest
    }
    if let before, before < 1 { throw .validation("/before_seq", "must be a number from 1") }
    if let after, after < 0 { throw .validation("/after_seq", "must be a number from 0") }
    let limit = limit ?? 50
    guard limit >= 1 else { throw .validation("/limit", "must be a number from 1 to 500") }
    self.limit = min(limit, 500)
  }
}
