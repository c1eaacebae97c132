import Foundation

/// The `wattloop` program: it makes users and tokens in a store, beside a running server too.
struct WattloopProgram {
  let path: String

  /// - Parameter path: nil for the one that this repository has built, or else the one in PATH.
  init(_ path: String?) {
    self.path = path ?? Self.built ?? "wattloop"
  }

  /// This program lies in Benchmarks/.build/…; the server in .build/release beside Benchmarks.
  private static var built: String? {
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().pathComponents
    guard let benchmarks = own.lastIndex(of: "Benchmarks") else { return nil }
    let path = NSString.path(withComponents: own[..<benchmarks] + [".build", "release", "wattloop"])
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }

  /// Makes so many users without a password, or finds them, each with a token.
  func loadTestUsers(_ count: Int, in data: String) throws -> [Account] {
    try Account.parse(Shell.output(of: [path, "user", "add", "--load-test", String(count), "--data", data]))
  }

  func adminToken(in data: String) throws -> String {
    try Shell.output(of: [path, "token", "admin", "--ttl", "1d", "--data", data])
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Fails if anything in the store is not as it should be.
  func check(_ data: String) throws { _ = try Shell.output(of: [path, "check", "--data", data]) }
}
