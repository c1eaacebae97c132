/// Readings as the body of one request, `text/csv`.
struct ReadingUpload {
  let body: [UInt8]
  /// What each reading is called when it is rejected, by its index in the request.
  let origins: Origins

  enum Origins {
    /// The lines of the file.
    case lines([Int])
    /// Readings of the schedule, over so many devices.
    case devices(Range<UInt64>, Int)
  }

  var count: Int {
    switch origins {
    case .lines(let lines): lines.count
    case .devices(let readings, _): readings.count
    }
  }

  func origin(of index: Int) -> String {
    switch origins {
    case .lines(let lines): lines.indices.contains(index) ? "line \(lines[index])" : "a line"
    case .devices(let readings, let devices):
      index >= 0 && index < readings.count
        ? SimulatedDevices.name((readings.lowerBound + UInt64(index)) % UInt64(devices)) : "a device"
    }
  }

  /// All of it, for the error of a request that failed as a whole.
  var name: String {
    switch origins {
    case .lines(let lines): "lines \(lines.first ?? 0) to \(lines.last ?? 0)"
    case .devices(let readings, _): "\(readings.count) readings"
    }
  }
}
