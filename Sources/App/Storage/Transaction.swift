import GRDB

/// What a change works with on the writer's thread, inside a transaction of its own within the batch.
final class Transaction {
  let db: Database
  let positions: Positions
  let messages: MessageLog
  let search: SearchIndex
  let devices: DeviceCatalog
  private let watched: WatchedDevices
  private(set) var announcements: [Announcement] = []

  init(
    db: Database, positions: Positions, messages: MessageLog, devices: DeviceCatalog, watched: WatchedDevices
  ) {
    search = messages.index
    self.watched = watched
    self.db = db
    self.positions = positions
    self.messages = messages
    self.devices = devices
  }

  /// One on its own, where no server runs that somebody could be connected to.
  convenience init(alone db: Database) {
    let positions = Positions()
    self.init(
      db: db, positions: positions, messages: MessageLog(positions: positions, index: SearchIndex()),
      devices: DeviceCatalog(), watched: WatchedDevices())
  }

  /// Leaves word for the loop, which hears it when the transaction is on disk, and never if it fails.
  func announce(_ announcement: Announcement) { announcements.append(announcement) }

  /// So many buckets of one transaction are told to who watches: the rest is history, and there to be asked for.
  private static let mostTold = 400

  /// Keeps the buckets of a device's metric, and leaves word of its main one's where somebody watches.
  func bucketKeeper(of device: MeteredDevice, place: Int, _ now: Timestamp) -> BucketKeeper {
    var keeper = BucketKeeper(meter: device.meters[place], db: db, now: now)
    if place == 0, watched.contains(device.id) {
      keeper.changed = { [unowned self] bucket in
        if announcements.count < Self.mostTold { announce(.consumption(device.id, bucket)) }
      }
    }
    return keeper
  }
}

/// What the loop is told of a change that is on disk, in the order of the store and before the change's own caller goes on.
enum Announcement: Sendable {
  /// The server has said something in a conversation.
  case message(SystemMessage)
  case alert(AlertEvent)
  case conversation(ConversationEvent)
  /// A quarter hour of a watched device.
  case consumption(Int64, Bucket)
  /// A message was edited or deleted, or marks have grown, over REST.
  case changed(PublishBatch.Effect, MemberList)
  /// A session has ended. Its tokens would have lived until this Unix second.
  case sessionEnded(Int64, user: Int64, until: Int64)
  /// A user's access tokens of earlier versions are dead.
  case tokensRevoked(user: Int64, version: Int64, Revocation)
  /// A device was made, changed or deleted.
  case deviceChanged(Int64)
  /// A user was changed or deleted.
  case userChanged(Int64)
}
