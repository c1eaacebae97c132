import GRDB

/// What a change works with on the writer's thread, inside a transaction of its own within the batch.
final class Transaction {
  let db: Database
  let positions: Positions
  let messages: MessageLog
  let devices: DeviceCatalog
  private(set) var announcements: [Announcement] = []

  init(db: Database, positions: Positions, messages: MessageLog, devices: DeviceCatalog) {
    self.db = db
    self.positions = positions
    self.messages = messages
    self.devices = devices
  }

  /// Leaves word for the loop, which hears it when the transaction is on disk, and never if it fails.
  func announce(_ announcement: Announcement) { announcements.append(announcement) }
}

/// What the loop is told of a change that is on disk, in the order of the store and before the change's own caller goes on.
enum Announcement: Sendable {
  /// The server has said something in a conversation.
  case message(SystemMessage)
  case alert(AlertEvent)
  /// A session has ended. Its tokens would have lived until this Unix second.
  case sessionEnded(Int64, user: Int64, until: Int64)
  /// A user's access tokens of earlier versions are dead.
  case tokensRevoked(user: Int64, version: Int64, Revocation)
  /// A device was made, changed or deleted.
  case deviceChanged(Int64)
}
