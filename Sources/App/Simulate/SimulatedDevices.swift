import Foundation
import Reactor

/// The devices `sim-1`, `sim-2`, … of a run: those that are there are used again, and the others are made.
final class SimulatedDevices {
  private let api: SimulationAPI
  let count: Int
  /// By number, from 0.
  private var ids: [String?]
  private var next = 0
  private(set) var found = 0
  var isStopping = false

  private struct DevicePage: Decodable {
    let items: [Device]
    let nextCursor: String?
    private enum CodingKeys: String, CodingKey {
      case items
      case nextCursor = "next_cursor"
    }
  }

  private struct Device: Decodable {
    struct Metric: Decodable, Equatable {
      let kind: String
      let unit: String
    }
    let id: String
    let name: String
    let metrics: [Metric]
  }

  private struct NewDevice: Encodable { let name: String }

  init(api: SimulationAPI, count: Int) {
    self.api = api
    self.count = count
    ids = Array(repeating: nil, count: count)
  }

  static func name(_ number: some BinaryInteger) -> String { "sim-\(number + 1)" }

  /// In the order of their numbers; fewer than the run's if it is stopping.
  var all: [String] { ids.compactMap { $0 } }

  /// Looks through all devices of the server.
  /// - Throws: `faults` if one of them has the name and does not measure an interval in kWh.
  func find() async throws(ExitFailure) {
    var path = "/devices?limit=500"
    while !isStopping {
      let page: DevicePage = try await api.send(.get, path, name: "the list of devices")
      for device in page.items { try note(device) }
      guard let cursor = page.nextCursor else { return }
      let escaped = cursor.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      path = "/devices?limit=500&cursor=\(escaped)"
    }
  }

  /// Makes those that were not found. May run several times at once.
  func make() async throws(ExitFailure) {
    while !isStopping, let number = takeMissing() {
      let body = try SimulationAPI.encode(NewDevice(name: Self.name(number)))
      let device: Device = try await api.send(
        .post, "/devices", type: "application/json", body: body, name: "a new device")
      try note(device)
    }
  }

  private func takeMissing() -> Int? {
    while next < count, ids[next] != nil { next += 1 }
    guard next < count else { return nil }
    defer { next += 1 }
    return next
  }

  private func note(_ device: Device) throws(ExitFailure) {
    guard device.name.hasPrefix("sim-"), let number = unsigned(device.name.dropFirst(4), as: Int.self),
      number >= 1, number <= count, Self.name(number - 1) == device.name, ids[number - 1] == nil
    else { return }
    guard device.metrics.first == Device.Metric(kind: "interval", unit: "kWh") else {
      throw .faults("the device '\(device.name)' (\(device.id)) does not measure an interval in kWh")
    }
    ids[number - 1] = device.id
    found += 1
  }
}
