import Logging

/// The program's log: swift-log in front, lines on standard error behind.
///
/// Who logs must never give it a token or a password.
public enum Logs {
  /// Sets the whole process up; once.
  /// - Returns: where the lines go. Close it before the process ends, so that the last ones are written.
  public static func bootstrap(level: Configuration.LogLevel, format: Configuration.LogFormat) -> LogSink {
    let sink = LogSink(format: format)
    let least = Logger.Level(rawValue: level.rawValue) ?? .info
    LoggingSystem.bootstrap { label in LineLogHandler(label: label, logLevel: least, sink: sink) }
    return sink
  }
}

/// Hands events to the sink.
struct LineLogHandler: LogHandler {
  let label: String
  var logLevel: Logger.Level
  let sink: LogSink
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = event.metadata.map { metadata.merging($0) { _, new in new } } ?? metadata
    sink.add(
      LogRecord(
        time: .now(), level: event.level.rawValue, label: label, message: "\(event.message)",
        metadata: all.mapValues { "\($0)" }))
  }
}
