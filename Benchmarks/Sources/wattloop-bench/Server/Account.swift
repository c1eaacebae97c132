import Foundation

/// A user of the chat server, as `wattloop user add --load-test` prints it.
struct Account {
  let id: String
  let token: String

  /// Reads lines `id,username,token`.
  static func parse(_ text: String) throws -> [Account] {
    let accounts = text.split(separator: "\n").compactMap { line -> Account? in
      let parts = line.split(separator: ",")
      return parts.count == 3 ? Account(id: String(parts[0]), token: String(parts[2])) : nil
    }
    guard !accounts.isEmpty else { throw Failure("there is no line 'id,username,token'") }
    return accounts
  }
}
