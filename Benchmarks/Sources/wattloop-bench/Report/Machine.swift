import Foundation

/// What figures stand beside.
enum Machine {
  static var description: String {
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.prefix { $0 != " " } ?? "?"
    return
      "\(ProcessInfo.processInfo.processorCount) cores of \(model ?? "an unknown processor"), load average \(load)"
  }

  static var date: String { Date().formatted(.iso8601) }
}
