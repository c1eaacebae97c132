/// The base of all consumption: quarters of an hour in UTC, numbered from 1970.
enum Quarter {
  /// Milliseconds.
  static let length: Int64 = 900_000

  /// The number of the quarter that a moment lies in.
  static func number(at time: Int64) -> Int64 { time.dividedDown(by: length).quotient }

  /// The number of the first quarter that begins at a moment or later.
  static func number(endingAt time: Int64) -> Int64 { number(at: time + length - 1) }

  static func start(_ number: Int64) -> Int64 { number * length }
}

/// The longest stretch between two readings, or of one reading, that is spread over its quarters: 400 days, a meter that
/// is read once a year with some delay. Beyond it nothing can be said of a quarter.
let longestSpan: Int64 = 400 * 86_400_000
