import Glibc
import Reactor
import Synchronization

/// Formats and writes log lines on a thread of its own: a terminal or pipe that blocks must not stop the
/// loop. The queue is bounded; what finds no room is counted, and the count is logged.
public final class LogSink: Sendable {
  private let thread: WorkerThread<LogRecord>
  private let lost: Counter

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  init(format: Configuration.LogFormat, descriptor: Int32 = STDERR_FILENO, limit: Int = 8192) {
    let lost = Counter()
    self.lost = lost
    thread = WorkerThread(name: "log", limit: limit) { records in
      var bytes: [UInt8] = []
      let count = lost.value.exchange(0, ordering: .relaxed)
      for record in records + (count > 0 ? [Self.lossReport(count)] : []) {
        switch format {
        case .text: record.appendText(to: &bytes)
        case .json: record.appendJSON(to: &bytes)
        }
      }
      Self.write(bytes, to: descriptor)
    }
  }

  func add(_ record: LogRecord) {
    if !thread.submit(record) { lost.value.add(1, ordering: .relaxed) }
  }

  /// Writes what waits, and takes no more.
  public func close() { thread.close() }

  private static func lossReport(_ count: Int) -> LogRecord {
    LogRecord(
      time: .now(), level: "warning", label: "wattloop.log", message: "log lines were lost",
      metadata: ["count": "\(count)"])
  }

  /// A log that cannot be written is no reason to stop: the rest of the batch is given up.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var left = bytes[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 { left = left.dropFirst(count) } else if errno != EINTR { return }
    }
  }
}
