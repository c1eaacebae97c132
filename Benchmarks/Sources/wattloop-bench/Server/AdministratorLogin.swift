import Foundation

/// An administrator of a server that may be anywhere: makes users and logs each of them in, which takes the server a password
/// hash for each.
struct AdministratorLogin {
  private static let atOnce = 4

  let site: Site
  let username: String
  /// From the environment, so that no list of processes shows it.
  private var password: String {
    get throws {
      guard let password = ProcessInfo.processInfo.environment["WATTLOOP_PASSWORD"] else {
        throw Failure("--login takes its password from WATTLOOP_PASSWORD")
      }
      return password
    }
  }

  struct Session: Decodable {
    struct User: Decodable { let id: String }
    let user: User
    let token: String

    private enum CodingKeys: String, CodingKey {
      case user
      case token = "access_token"
    }
  }

  private struct Login: Encodable {
    let username: String
    let password: String
  }

  private struct NewUser: Encodable {
    let username: String
    let password: String
    let role = "client"
  }

  func logIn() throws -> Session {
    try APIClient(site, token: nil, connections: 1)
      .post("/api/v1/auth/login", json: Login(username: username, password: password))
  }

  func createUsers(_ count: Int) throws -> [Account] {
    let api = try APIClient(site, token: logIn().token, connections: Self.atOnce)
    let run = "bench-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    let secret = String(UInt64.random(in: 1 << 60 ... .max), radix: 36)
    func posts(_ path: String, _ bodies: [some Encodable]) throws -> [[UInt8]] {
      let requests = try bodies.map {
        api.request(.post, path, contentType: "application/json", body: [UInt8](try JSONEncoder().encode($0)))
      }
      return try api.all(requests, atOnce: Self.atOnce)
    }
    let names = (1...count).map { "\(run)-\($0)" }
    _ = try posts("/api/v1/users", names.map { NewUser(username: $0, password: secret) })
    return try posts("/api/v1/auth/login", names.map { Login(username: $0, password: secret) }).map {
      let session = try JSONDecoder().decode(Session.self, from: Data($0))
      return Account(id: session.user.id, token: session.token)
    }
  }
}
