import Foundation

/// One line that a terminal shows and overwrites; in a pipe, nothing, if not asked for.
struct LiveLine {
  private static let barLength = 16

  /// Between two lines where there is no terminal, but somebody who waits for long.
  private static let pause: UInt64 = 10_000_000_000

  private let isTerminal = isatty(STDERR_FILENO) == 1
  /// Whether a pipe is told now and then, too, a line each time.
  var speaksInPipes = false
  private var spoken: UInt64 = 0
  private var step = ""
  private var start = Clock.now
  private var seconds: Double?
  private var connections: Int?

  mutating func begin(_ step: String, seconds: Double?, connections: Int?) {
    guard isTerminal || speaksInPipes else { return }
    end()
    self.step = step
    start = Clock.now
    self.seconds = seconds
    self.connections = connections
    write("\(step) …")
  }

  mutating func show(_ sample: Sample) {
    guard isTerminal || speaksInPipes && Clock.now > spoken + Self.pause else { return }
    spoken = Clock.now
    var parts = [step.padding(toLength: 12, withPad: " ", startingAt: 0)]
    if let share = share(sample) { parts.append(Self.bar(share)) }
    parts.append("\(Self.short(Double(sample.connections))) conns")
    parts.append(
      connections == nil ? "\(Self.short(sample.rate))/s" : "\(Self.short(sample.opened)) opened/s")
    if let p50 = sample.p50, let p99 = sample.p99 {
      parts.append("p50 \(Self.time(p50))  p99 \(Self.time(p99))")
    }
    if let bytes = sample.serverBytes { parts.append("\(Self.short(Double(bytes)))B") }
    parts.append(sample.errors == 0 ? "no errors" : "\(sample.errors) ERRORS")
    write(parts.joined(separator: "  "))
  }

  func end() {
    // Takes the line away: what follows is the report.
    if isTerminal { write("") }
  }

  private func share(_ sample: Sample) -> Double? {
    if let seconds { return min(1, Double(Clock.now - start) / 1e9 / seconds) }
    if let connections { return min(1, Double(sample.connections) / Double(connections)) }
    return nil
  }

  private func write(_ text: String) {
    FileHandle.standardError.write(Data((isTerminal ? "\r\u{1B}[K\(text)" : text + "\n").utf8))
  }

  private static func bar(_ share: Double) -> String {
    let full = Int((share * Double(barLength)).rounded())
    return String(repeating: "█", count: full) + String(repeating: "░", count: barLength - full)
  }

  static func time(_ microseconds: Double) -> String {
    microseconds < 1000
      ? String(format: "%.0f µs", microseconds)
      : microseconds < 1_000_000
        ? String(format: "%.2f ms", microseconds / 1000) : String(format: "%.2f s", microseconds / 1_000_000)
  }

  static func short(_ value: Double) -> String {
    switch value {
    case ..<10_000: String(format: "%.0f", value)
    case ..<1_000_000: String(format: "%.1fk", value / 1000)
    case ..<1_000_000_000: String(format: "%.2fM", value / 1_000_000)
    default: String(format: "%.2fG", value / 1_000_000_000)
    }
  }
}
