import GRDB

/// A device as the loop shows it.
final class ShownDevice: ShownObject {
  let id: Int64
  private let owner: Int64?
  private let answer: ReadyAnswer

  init(_ device: Device) throws {
    id = device.id
    owner = device.settings.owner
    answer = try ReadyAnswer(device)
  }

  static func find(_ id: Int64, in db: Database) throws -> ShownDevice? {
    try DeviceStore.find(id, in: db).map(ShownDevice.init)
  }

  /// To anybody else than its owner and administrators it is not there.
  func answer(for caller: Caller) -> ReadyAnswer? {
    caller.role == .admin || caller.user == owner ? answer : nil
  }
}
