/// What a request head may cost before it is refused.
struct HeadLimits: Sendable {
  /// The whole head, its empty line included; beyond it 431.
  var headBytes = 16 * 1024
  /// Field lines; beyond it 431.
  var fieldCount = 100
  /// The request-target; beyond it 414. RFC 9112 §3 wants room for request lines of 8,000 bytes.
  var targetBytes = 8 * 1024
}
