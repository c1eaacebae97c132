import GRDB
import Reactor

/// Which sockets watch which devices. On the loop.
final class DeviceWatches {
  /// Devices that one socket may watch.
  static let most = 100

  private unowned let hub: Hub
  private let store: Store
  private let readers: WorkerQueue
  private let mailbox: Mailbox
  /// The same for the writer, without the sockets.
  private let watched: WatchedDevices
  private var sockets: [Int64: Set<WebSocketID>] = [:]
  private var devices: [WebSocketID: Set<Int64>] = [:]

  init(hub: Hub, store: Store, readers: WorkerQueue, mailbox: Mailbox, watched: WatchedDevices) {
    self.hub = hub
    self.store = store
    self.readers = readers
    self.mailbox = mailbox
    self.watched = watched
  }

  /// Whether the socket watches the device, or may watch one more.
  func mayAdd(_ socket: WebSocketID, to device: Int64) -> Bool {
    guard let watched = devices[socket] else { return true }
    return watched.count < Self.most || watched.contains(device)
  }

  func add(_ socket: WebSocketID, to device: Int64) {
    guard devices[socket, default: []].insert(device).inserted else { return }
    sockets[device, default: []].insert(socket)
    watched.add(device)
  }

  func remove(_ socket: WebSocketID, from device: Int64) {
    guard devices[socket]?.remove(device) != nil else { return }
    sockets[device]?.remove(socket)
    if sockets[device]?.isEmpty ?? false { sockets[device] = nil }
    if devices[socket]?.isEmpty ?? false { devices[socket] = nil }
    watched.remove(device)
  }

  func closed(_ socket: WebSocketID) {
    for device in devices[socket] ?? [] { remove(socket, from: device) }
  }

  func forEach(of device: Int64, _ body: (WebSocketID) -> Void) {
    for socket in sockets[device] ?? [] { body(socket) }
  }

  /// A device has another owner, perhaps, or is gone: who may not see it any more is told nothing more.
  func deviceChanged(_ device: Int64) {
    guard let watching = sockets[device] else { return }
    let store = store
    let users = watching.compactMap { socket in hub.sessions[socket].map { (socket, $0.user) } }
    let home = LoopBound(self)
    let mailbox = mailbox
    let isTaken = readers.submit {
      let blind = try? store.read { db in
        try users.filter { try !DeviceWatches.maySee(device, $0.1, db) }.map(\.0)
      }
      mailbox.post {
        for socket in blind ?? users.map(\.0) { home.value.remove(socket, from: device) }
      }
    }
    if !isTaken { for socket in watching { remove(socket, from: device) } }
  }

  private static func maySee(_ device: Int64, _ user: Int64, _ db: Database) throws -> Bool {
    guard let user = try UserStore.find(user, in: db) else { return false }
    return (try? VisibleDevices.find(device, for: user, db)) != nil
  }

  /// The device's latest quarter hour as JSON, or `null`.
  /// - Throws: `notFound` if the user may not see the device.
  static func latest(of device: Int64, for user: Int64, _ db: Database) throws -> [UInt8] {
    guard let user = try UserStore.find(user, in: db) else { throw Problem.notFound }
    let device = try VisibleDevices.find(device, for: user, db)
    var json = JSONWriter()
    guard let meter = device.meters.first, let bucket = try BucketStore.last(of: meter.id, db) else {
      return Array("null".utf8)
    }
    json.raw("{")
    json.quarter(bucket)
    json.raw("}")
    return json.bytes
  }
}

extension JSONWriter {
  /// The fields of a quarter hour: `value` in kWh, null where nothing is known of it.
  mutating func quarter(_ bucket: Bucket) {
    let start = Quarter.start(bucket.number)
    raw("\"start\":\"")
    Timestamp(milliseconds: start).append(to: &bytes)
    raw("\",\"end\":\"")
    Timestamp(milliseconds: start + Quarter.length).append(to: &bytes)
    raw("\",\"value\":")
    if bucket.total.covered == 0 { raw("null") } else { kilowattHours(bucket.total.energy) }
    raw(",\"coverage\":")
    coverage(bucket.total.covered, of: Quarter.length)
    raw(",\"revision\":")
    integer(bucket.revision)
  }
}
