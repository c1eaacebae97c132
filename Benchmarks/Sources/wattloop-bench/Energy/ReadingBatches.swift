/// The bodies of an ingest load: readings a minute apart from a year ago on, each sent once.
final class ReadingBatches {
  private static let year = 365 * 86_400

  private let devices: [String]
  private let size: Int
  private let shape: IngestCommand.Shape
  private let start: Int
  private var count = 0

  /// - Parameter now: Unix seconds.
  init(_ devices: [String], size: Int, _ shape: IngestCommand.Shape, now: Int) {
    self.devices = devices
    self.size = size
    self.shape = shape
    start = (now - Self.year) / 3600 * 3600
  }

  /// Readings handed out.
  var sent: Int { count * size }

  /// The next would be in the future.
  var isUsedUp: Bool { (sent + size) / devices.count + size >= Self.year / ReadingText.minute }

  /// A JSON array; nil if it would have readings of the future.
  func next() -> [UInt8]? {
    if isUsedUp { return nil }
    var text = ReadingText()
    text.raw("[")
    for number in 0..<size {
      if number > 0 { text.raw(",") }
      let (device, minute) = place(of: number)
      text.addObject(device: devices[device], number: device, at: start + minute * ReadingText.minute)
    }
    text.raw("]")
    count += 1
    return text.bytes
  }

  /// Which reading is the one of that number in the next batch.
  private func place(of number: Int) -> (device: Int, minute: Int) {
    switch shape {
    case .spread:
      let reading = sent + number
      return (reading % devices.count, reading / devices.count)
    case .one: return (count % devices.count, count / devices.count * size + number)
    }
  }
}
