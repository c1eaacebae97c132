import GRDB
import Reactor

/// A device as the loop shows it: its answers are ready, and each client's is a share of the same bytes.
final class CachedDevice: Sendable {
  let id: Int64
  let owner: Int64?
  private let found: Response
  private let notModified: Response
  private let tag: String

  init(_ device: Device) throws {
    id = device.id
    owner = device.settings.owner
    let body = try JSON.encode(device)
    tag = ETag.make(body)
    found = Response(.ok, fields: [.init("etag", tag)], body: body, contentType: "application/json")
    notModified = Response(.notModified, fields: [.init("etag", tag)])
  }

  static func find(_ id: Int64, in db: Database) throws -> CachedDevice? {
    try DeviceStore.find(id, in: db).map(CachedDevice.init)
  }

  /// To anybody else the device is not there.
  func isVisible(to caller: Caller) -> Bool { caller.role == .admin || caller.user == owner }

  /// - Parameter condition: the request's `If-None-Match`.
  func response(_ condition: String?) -> Response {
    guard let condition, ETag.matches(condition, tag) else { return found }
    return notModified
  }
}
