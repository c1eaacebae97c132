import Foundation

/// Where a run's users and tokens come from.
enum Users {
  /// Lines `id,username,token` of a file.
  case file(String)
  /// The server's store, through the `wattloop` program.
  case store(WattloopProgram, data: String)
  /// The server's REST API, as an administrator who logs in.
  case api(AdministratorLogin)
  /// The server knows no users, or none that were named.
  case none

  func accounts(_ count: Int) throws -> [Account] {
    switch self {
    case .file(let path):
      let accounts = try Account.parse(String(contentsOfFile: path, encoding: .utf8))
      guard accounts.count >= count else {
        throw Failure("\(path) has only \(accounts.count) of \(count) users")
      }
      return Array(accounts[..<count])
    case .store(let program, let data): return try program.loadTestUsers(count, in: data)
    case .api(let administrator): return try administrator.createUsers(count)
    case .none: throw Failure("users are needed: name --tokens, --data or --login")
    }
  }

  /// nil if there are no users, or only those of a file.
  func adminToken() throws -> String? {
    switch self {
    case .store(let program, let data): return try program.adminToken(in: data)
    case .api(let administrator): return try administrator.logIn().token
    case .file, .none: return nil
    }
  }
}
