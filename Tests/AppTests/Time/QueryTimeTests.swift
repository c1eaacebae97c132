import Testing

@testable import App

@Suite struct QueryTimeTests {
  @Test(arguments: [
    ("2026-03-29T03:00:00+02:00", "2026-03-29T01:00:00.000Z"),
    ("2026-03-29T03:00:00 02:00", "2026-03-29T01:00:00.000Z"),
    ("2026-03-29T03:00:00.250 02:00", "2026-03-29T01:00:00.250Z"),
    ("2026-03-29T03:00:00Z", "2026-03-29T03:00:00.000Z"),
    ("2026-03-29T03:00:00-02:00", "2026-03-29T05:00:00.000Z"), ("2026-03-29", "2026-03-28T23:00:00.000Z"),
    ("2026-03-30", "2026-03-29T22:00:00.000Z"), ("9999-12-31", "9999-12-30T23:00:00.000Z"),
  ])
  func `an instant or a local date is read`(_ text: String, _ instant: String) throws {
    let berlin = try #require(ZoneRules.named("Europe/Berlin"))
    #expect(Timestamp(query: text, in: berlin)?.text == instant)
  }

  @Test(arguments: [
    ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00.000Z"),
    ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
    ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00.000Z"),
    ("UTC", "2026-03-29", "2026-03-29T00:00:00.000Z"),
  ])
  func `a date is the first instant of the local day`(_ name: String, _ date: String, _ instant: String)
    throws
  {
    let rules = try #require(ZoneRules.named(name))
    #expect(Timestamp(query: date, in: rules)?.text == instant)
  }

  @Test(arguments: [
    "", " ", " 02:00", "2026-03-29 ", "2026-02-29", "2026-3-29", "2026-03-2é", "20260329", "2026-03-29 02:00",
    "2026-03-29T03:00:00", "2026-03-29T03:00 02:00", "2026-03-29 03:00:00Z", "2026-03-29T03:00:00  2:00",
    "2026-03-29T03:00:00 25:00", "now", "1774746000",
  ])
  func `anything else is refused`(_ text: String) throws {
    #expect(Timestamp(query: text, in: try #require(ZoneRules.named("Europe/Berlin"))) == nil)
  }
}
