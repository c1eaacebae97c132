import Foundation

/// The log-ins of a demo store, in a file beside it that only its owner may read: a later start shows them again.
enum DemoLogins {
  private static func path(_ directory: String) -> String { directory + "/demo-logins.txt" }

  static func write(_ logins: [Demo.Login], _ directory: String) throws {
    let text = logins.map { "\($0.username) \($0.role.rawValue) \($0.password)\n" }.joined()
    let made = FileManager.default.createFile(
      atPath: path(directory), contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    guard made else { throw StoreError.inaccessible(path: path(directory), reason: "it cannot be written") }
  }

  /// Empty if the file has been taken away.
  static func read(_ directory: String) throws -> [Demo.Login] {
    guard let data = FileManager.default.contents(atPath: path(directory)) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
      let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard parts.count == 3, let role = Role(rawValue: parts[1]) else { return nil }
      return Demo.Login(username: parts[0], role: role, password: parts[2])
    }
  }
}
