import Foundation

/// What the kernel says of the server's process.
struct ServerProcess {
  let pid: Int

  /// User and system time, in microseconds, to the kernel's tick (10 ms).
  func cpuTime() throws -> Double {
    // The command's name may hold blanks and parentheses; what follows its last one does not.
    let fields = try text("stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw Failure("/proc/\(pid)/stat is not understood")
    }
    return (user + system) * 1_000_000 / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Bytes that belong to this process alone: what would be free again if it ended.
  func privateBytes() throws -> Int {
    let lines = try text("smaps_rollup").split(separator: "\n")
    return lines.filter { $0.hasPrefix("Private_Clean:") || $0.hasPrefix("Private_Dirty:") }
      .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
      .reduce(0, +) * 1024
  }

  /// The part of those that is no file's: cheap to read, for the kernel keeps count of it.
  func anonymousBytes() throws -> Int {
    let line = try text("status").split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
    let parts = line.split(whereSeparator: \.isWhitespace)
    guard parts.count > 1, let kilobytes = Int(parts[1]) else {
      throw Failure("/proc/\(pid)/status is not understood")
    }
    return kilobytes * 1024
  }

  private func text(_ file: String) throws -> String {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/\(file)") else {
      throw Failure("/proc/\(pid)/\(file) cannot be read")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
