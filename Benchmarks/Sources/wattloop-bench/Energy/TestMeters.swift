/// Devices that a load makes for itself, all of one new user, so that nothing of another run is among its figures.
struct TestMeters {
  /// The devices' ids.
  let devices: [String]
  private let owner: String
  private let password: String

  private struct User: Codable {
    var id: String?
    let username: String
    var password: String?
    var role: String?
  }

  private struct Device: Codable {
    var id: String?
    let name: String
    var owner: String?
    var timezone: String?
    var limit: Double?

    private enum CodingKeys: String, CodingKey {
      case id, name, timezone
      case owner = "owner_id"
      case limit = "max_hourly_kwh"
    }
  }

  /// - Parameter limit: kilowatt-hours an hour beyond which an alert fires.
  static func create(_ count: Int, limit: Double?, through api: APIClient) throws -> TestMeters {
    let run = "bench-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    let password = String(UInt64.random(in: 1 << 60 ... .max), radix: 36)
    let user: User = try api.post(
      "/api/v1/users", json: User(username: run, password: password, role: "client"))
    let devices = try (1...count).map { number in
      let device: Device = try api.post(
        "/api/v1/devices",
        json: Device(
          name: "Meter \(number)", owner: user.id, timezone: "Europe/Berlin", limit: limit))
      guard let id = device.id else { throw Failure("a device without an id") }
      return id
    }
    return TestMeters(devices: devices, owner: run, password: password)
  }

  /// How many alerts there are, as the owner sees them.
  func alertCount(_ site: Site) throws -> Int {
    struct Login: Codable {
      let username: String
      let password: String
    }
    struct Session: Codable {
      let token: String
      private enum CodingKeys: String, CodingKey { case token = "access_token" }
    }
    struct Page: Decodable {
      struct Alert: Decodable {}
      let items: [Alert]
      let next: String?
      private enum CodingKeys: String, CodingKey {
        case items
        case next = "next_cursor"
      }
    }
    let session: Session = try APIClient(site, token: nil, connections: 1)
      .post("/api/v1/auth/login", json: Login(username: owner, password: password))
    let api = try APIClient(site, token: session.token, connections: 1)
    var count = 0
    var cursor: String? = ""
    while let from = cursor {
      let page: Page = try api.get("/api/v1/alerts?limit=200" + (from.isEmpty ? "" : "&cursor=" + from))
      count += page.items.count
      cursor = page.next
    }
    return count
  }
}
