import CLinux

/// What epoll says of a descriptor.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = Readiness(rawValue: UInt32(LINUX_EPOLLIN))
  public static let writable = Readiness(rawValue: UInt32(LINUX_EPOLLOUT))
  /// The peer will send no more (FIN or RST): reading on ends with end of stream or an error.
  public static let hungUp = Readiness(rawValue: UInt32(LINUX_EPOLLRDHUP | LINUX_EPOLLHUP | LINUX_EPOLLERR))
  /// Neither direction works any more: a reset.
  public static let broken = Readiness(rawValue: UInt32(LINUX_EPOLLHUP | LINUX_EPOLLERR))
  /// Edge-triggered: told once for each change, so that no `epoll_ctl` is needed to stop or resume reading.
  public static let edge = Readiness(rawValue: UInt32(LINUX_EPOLLET))
}

/// Something that the loop serves: a listener, a connection, the wake-up, a timer. A class and no protocol, so that
/// an event costs one call through the class's table.
open class EventSource {
  /// Set when the source is added to a loop.
  public internal(set) final var id = SourceID(raw: .max)
  /// Its node in the timer wheel, if one is set.
  final var timer: Int32 = TimerWheel.none

  public init() {}

  /// Its descriptor is ready. Handlers fill buffers; they write nothing to the kernel before the end of the tick.
  open func ready(_ readiness: Readiness) {}
  /// Its timer has run out.
  open func timerFired() {}
  /// The loop goes on with what the source left undone (`EventLoop.again`).
  open func resume() {}
}

/// A timer with an action, for what has no descriptor.
public final class LoopTimer: EventSource {
  private let action: () -> Void

  public init(_ action: @escaping () -> Void) { self.action = action }
  public override func timerFired() { action() }
}
