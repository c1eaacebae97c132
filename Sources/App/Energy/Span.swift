/// A stretch of time of which the energy is known. Times are milliseconds since 1970.
struct Span: Equatable {
  enum Shape: Equatable {
    /// The same at every moment.
    case even
    /// Power that goes in a straight line from one value to another, in watts.
    case ramp(from: Double, to: Double)
  }

  let start: Int64
  let end: Int64
  let energy: MicrowattHours
  let shape: Shape

  init(_ start: Int64, _ end: Int64, _ energy: MicrowattHours) {
    self.start = start
    self.end = end
    self.energy = energy
    shape = .even
  }

  init(_ start: Int64, _ end: Int64, from: Double, to: Double) {
    self.start = start
    self.end = end
    shape = .ramp(from: from, to: to)
    energy = Self.energy(from, to, duration: end - start, until: end - start)
  }

  /// The energy from the start to `time`, which lies in the span. Shares are differences of these: whatever the borders of
  /// buckets, they add up to the whole.
  func energy(until time: Int64) -> MicrowattHours {
    if time >= end { return energy }
    if time <= start { return .zero }
    switch shape {
    case .even: return energy.share(time - start, of: end - start)
    case .ramp(let from, let to):
      return Self.energy(from, to, duration: end - start, until: time - start)
    }
  }

  /// The trapezoid's area: watt-milliseconds, of which 3.6 are a microwatt-hour.
  private static func energy(
    _ from: Double, _ to: Double, duration: Int64, until time: Int64
  ) -> MicrowattHours {
    let t = Double(time)
    let area = from * t + (to - from) * t * t / (2 * Double(duration))
    return MicrowattHours(Int64(exactly: (area / 3.6).rounded()) ?? 0)
  }
}
