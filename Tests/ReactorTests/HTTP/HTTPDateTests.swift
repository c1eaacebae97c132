import Testing

@testable import Reactor

@Suite("Dates (RFC 9110 §5.6.7)")
struct HTTPDateTests {
  @Test(
    "IMF-fixdate",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
      (86_400, "Fri, 02 Jan 1970 00:00:00 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
      (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
      (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
      (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
      (-11_644_473_600, "Mon, 01 Jan 1601 00:00:00 GMT"),
      (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
      (Int.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
      (Int.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
    ])
  func date(seconds: Int, expected: String) {
    #expect(text(HTTPDate(unixSeconds: seconds)) == expected)
  }

  @Test("Every day of a 400-year cycle follows the one before")
  func calendar() {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    var (year, month, day) = (1970, 0, 1)
    for index in 0..<146_097 {
      let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let padded = day < 10 ? "0\(day)" : "\(day)"
      let expected = "\(weekdays[index % 7]), \(padded) \(months[month]) \(year) 00:00:00 GMT"
      let rendered = text(HTTPDate(unixSeconds: index * 86_400))
      if rendered != expected {
        #expect(rendered == expected)
        return
      }
      day += 1
      if day > [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] {
        (month, day) = (month + 1, 1)
      }
      if month == 12 { (year, month) = (year + 1, 0) }
    }
  }

  private func text(_ date: HTTPDate) -> String {
    var sink: [UInt8] = []
    sink.append(date)
    return String(decoding: sink, as: UTF8.self)
  }
}
