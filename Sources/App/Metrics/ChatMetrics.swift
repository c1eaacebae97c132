/// What became of the messages since the start, exact, so that a harness can add up: each that was taken is stored, a duplicate,
/// refused, failed, or still with the writer. And how long each stage of their way took: of a batch, but for `parse`.
struct ChatMetrics {
  private(set) var taken: UInt64 = 0
  private(set) var stored: UInt64 = 0
  private(set) var duplicates: UInt64 = 0
  private(set) var refused: UInt64 = 0
  private(set) var failed: UInt64 = 0
  /// What the server itself has said.
  private(set) var ownMessages: UInt64 = 0
  /// Frames with a new message that were given to a socket which is live.
  var deliveries: UInt64 = 0
  /// Events that were given to a socket later, from the ring or the store, until it was live.
  var replays: UInt64 = 0

  /// From the beginning of a tick that brought requests to the last of them being in the batch: reading, parsing, checking.
  private(set) var parse = LatencyHistogram()
  /// From there, in the tick that began the batch, to the beginning of its transaction.
  private(set) var queue = LatencyHistogram()
  /// To the end of the commit, the sync of the disk in it.
  private(set) var commit = LatencyHistogram()
  /// To its arrival on the loop.
  private(set) var wake = LatencyHistogram()
  /// To the last frame of its answers and events.
  private(set) var fanout = LatencyHistogram()
  /// To the last send of that tick.
  private(set) var write = LatencyHistogram()

  mutating func take(_ entry: PublishBatch.Entry) { if entry.operation == .send { taken += 1 } }

  mutating func end(_ entry: PublishBatch.Entry) {
    guard entry.operation == .send else { return }
    switch entry.outcome {
    case .stored: stored += 1
    case .duplicate: duplicates += 1
    case .failed: failed += 1
    case .unchanged, .conflict, .notFound, .noSuchReply, .noSuchSeq, .forbidden, .deleted: refused += 1
    }
  }

  mutating func noticeOwnMessage() { ownMessages += 1 }

  mutating func noticeParsed(from tickStart: UInt64, to parsed: UInt64) {
    parse.record(from: tickStart, to: parsed)
  }

  mutating func noticeWritten(from told: UInt64, to written: UInt64) {
    write.record(from: told, to: written)
  }

  mutating func noticeBatch(_ times: WriterTimes, arrived: UInt64, told: UInt64) {
    queue.record(from: times.opened, to: times.began)
    commit.record(from: times.began, to: times.committed)
    wake.record(from: times.committed, to: arrived)
    fanout.record(from: arrived, to: told)
  }
}
