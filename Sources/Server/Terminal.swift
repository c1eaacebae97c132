import Foundation

/// Standard input and standard error.
enum Terminal {
  static func error(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// The first line of standard input; nil if that is a terminal, closed or empty.
  static func inputLine() -> String? {
    guard isatty(STDIN_FILENO) == 0, let line = readLine(), !line.isEmpty else { return nil }
    return line
  }
}
