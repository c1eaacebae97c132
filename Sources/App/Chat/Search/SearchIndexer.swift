import Logging
import Reactor

/// Lets the index of words catch up when the writer has nothing better to do: messages come first. On the loop.
final class SearchIndexer {
  /// After the last message.
  private static let pause: UInt64 = 30
  /// In one transaction: many while nobody writes, few when somebody may be waiting for the writer behind it.
  private static let quietSlice = 1000
  private static let slice = 128
  /// So long without a message is quiet, milliseconds.
  private static let quiet: UInt64 = 500
  /// So far behind, it goes on even while messages come.
  private static let mostBehind: Int64 = 2_000_000

  private let loop: EventLoop
  private let writer: Writer
  private let isBusy: () -> Bool
  private lazy var timer = LoopTimer { [unowned self] in goOn() }
  private var isSet = false
  private var isUnderWay = false
  private var behind: Int64 = 0
  private var lastMessage: UInt64 = 0

  /// - Parameter isBusy: whether messages wait for the writer.
  init(loop: EventLoop, writer: Writer, isBusy: @escaping () -> Bool) {
    self.loop = loop
    self.writer = writer
    self.isBusy = isBusy
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

  private func set() {
    isSet = true
    loop.setTimer(of: timer, at: loop.now + Self.pause)
  }

  private func goOn() {
    isSet = false
    guard !isBusy() || behind > Self.mostBehind else { return set() }
    let home = LoopBound(self)
    let mailbox = loop.mailbox
    let left = Left()
    let slice = loop.now - lastMessage > Self.quiet ? Self.quietSlice : Self.slice
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
    if left > 0 { goOn() }
  }

  /// Written and read on the writer's thread, and read on the loop afterwards.
  private final class Left: @unchecked Sendable {
    var count: Int64 = 0
  }
}
