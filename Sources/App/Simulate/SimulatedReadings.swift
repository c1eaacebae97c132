/// The readings of simulated devices: each goes on where its last one ended.
struct SimulatedReadings {
  /// The devices' ids.
  private let devices: [String]
  private let schedule: ReadingSchedule
  /// Milliseconds of Unix time at which the schedule starts.
  private let start: Int64

  init(devices: [String], schedule: ReadingSchedule, start: Timestamp) {
    self.devices = devices
    self.schedule = schedule
    self.start = start.milliseconds
  }

  /// The devices take turns, so the reading before is as many back as there are devices.
  func upload(_ readings: Range<UInt64>) -> ReadingUpload {
    var body = Array("device_id,start,end,value\n".utf8)
    body.reserveCapacity(readings.count * 80)
    let count = UInt64(devices.count)
    for reading in readings {
      let device = Int(reading % count)
      let end = start + Int64(schedule.time(of: reading))
      let begin = reading < count ? start : start + Int64(schedule.time(of: reading - count))
      body.append(contentsOf: devices[device].utf8)
      body.append(UInt8(ascii: ","))
      Timestamp(milliseconds: begin).append(to: &body)
      body.append(UInt8(ascii: ","))
      Timestamp(milliseconds: end).append(to: &body)
      body.append(UInt8(ascii: ","))
      Self.energy(ofDevice: device, begin, end).appendKilowattHours(to: &body)
      body.append(UInt8(ascii: "\n"))
    }
    return ReadingUpload(body: body, origins: .devices(readings, devices.count))
  }

  private static func energy(ofDevice device: Int, _ start: Int64, _ end: Int64) -> MicrowattHours {
    let shape = LoadShape(mean: 200 + Double(device % 16) * 50, seed: UInt64(device))
    return MicrowattHours(shape.energy(from: start, to: end, in: .utc), .kilowattHour)
  }
}
