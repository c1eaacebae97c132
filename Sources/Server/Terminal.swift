import Foundation

/// Standard input and standard error.
enum Terminal {
  static func error(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Whether somebody sees standard error as it is written.
  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

  /// A line that the next one takes the place of.
  static func status(_ line: String) {
    FileHandle.standardError.write(Data("\r\(line)\u{1B}[K".utf8))
  }

  /// Takes the last such line away.
  static func endStatus() { status("") }

  /// The first line of standard input; nil if that is a terminal, closed or empty.
  static func inputLine() -> String? {
    guard isatty(STDIN_FILENO) == 0, let line = readLine(), !line.isEmpty else { return nil }
    return line
  }
}
