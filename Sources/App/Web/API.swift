/// Where the API begins; `Location` and `Link` are made with it.
enum API {
  static let base = "/api/v1"
}
