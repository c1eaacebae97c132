import Logging
import Reactor

/// Lets the index of words catch up when the writer has nothing better to do: messages come first. On the loop.
final class SearchIndexer {
  /// Many at a time and without a pause while nobody writes; few and seldom while somebody may be waiting for the writer
  /// behind it. Words that have yet to be taken in are taken in by whoever searches.
  private static let quietSlice = 1000
  private static let quietPause: UInt64 = 30
  private static let slice = 256
  private static let pause: UInt64 = 500
  /// So long without a message is quiet, milliseconds.
  private static let quiet: UInt64 = 300
  /// So far behind, it goes on faster even while messages come.
  private static let mostBehind: Int64 = 2_000_000
  private static let hurriedPause: UInt64 = 50

  private let loop: EventLoop
  private let writer: Writer
  private lazy var timer = LoopTimer { [unowned self] in goOn() }
  private var isSet = false
  private var isUnderWay = false
  private var behind: Int64 = 0
  private var lastMessage: UInt64 = 0

  init(loop: EventLoop, writer: Writer) {
    self.loop = loop
    self.writer = writer
  }

  func start() throws {
    try loop.add(timer)
    set()
  }

  /// So many messages have been stored.
  func noticed(_ count: Int) {
    behind += Int64(count)
    lastMessage = loop.now
    if !isSet && !isUnderWay { set() }
  }

  private var isQuiet: Bool { loop.now - lastMessage > Self.quiet }

  private func set() {
    isSet = true
    let pause = isQuiet ? Self.quietPause : behind > Self.mostBehind ? Self.hurriedPause : Self.pause
    loop.setTimer(of: timer, at: loop.now + pause)
  }

  private func goOn() {
    isSet = false
    let home = LoopBound(self)
    let mailbox = loop.mailbox
    let left = Left()
    let slice = isQuiet ? Self.quietSlice : Self.slice
    isUnderWay = writer.submit {
      left.count = try $0.search.advance(by: slice, $0.db)
    } finished: { error in
      mailbox.post { home.value.finished(error, left.count) }
    }
    if !isUnderWay { set() }
  }

  private func finished(_ error: (any Error)?, _ left: Int64) {
    isUnderWay = false
    if let error {
      Logger(label: "wattloop.search").error("the index fell behind", metadata: ["error": "\(error)"])
      return set()
    }
    behind = left
    if left == 0 { return }
    if isQuiet { goOn() } else { set() }
  }

  /// Written and read on the writer's thread, and read on the loop afterwards.
  private final class Left: @unchecked Sendable {
    var count: Int64 = 0
  }
}
