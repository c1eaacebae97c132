import Foundation

/// A user of the chat server, as `wattloop user add --load-test` prints it.
struct Account {
  let id: String
  let token: String

  /// Reads lines `id,username,token`.
  static func read(_ path: String) throws -> [Account] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let accounts = lines.compactMap { line -> Account? in
      let parts = line.split(separator: ",")
      return parts.count == 3 ? Account(id: String(parts[0]), token: String(parts[2])) : nil
    }
    guard !accounts.isEmpty else { throw Failure("no line 'id,username,token' in \(path)") }
    return accounts
  }

  /// The first so many.
  static func read(_ path: String, count: Int) throws -> [Account] {
    let accounts = try read(path)
    guard accounts.count >= count else {
      throw Failure("\(path) has only \(accounts.count) of \(count) users")
    }
    return Array(accounts[..<count])
  }
}
