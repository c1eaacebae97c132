/// What a response may cost before it is refused.
struct ResponseLimits: Sendable {
  var headBytes = 64 * 1024
  var fieldCount = 200
  /// Content after decoding.
  var contentBytes: Int

  var head: HeadLimits {
    var limits = HeadLimits()
    limits.headBytes = headBytes
    limits.fieldCount = fieldCount
    // A status line has no target: the head's limit is the line's.
    limits.targetBytes = headBytes
    return limits
  }
}
