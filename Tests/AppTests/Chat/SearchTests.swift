import Testing

@testable import App

@Suite struct `A search` {
  @Test(arguments: [
    ("heat", #""heat""#), ("heat pump", #""heat" AND "pump""#), ("pum*", #""pum" *"#),
    ("\"heat pump\" new", #""heat pump" AND "new""#), ("a OR b", #""a" AND "OR" AND "b""#),
    ("NEAR(a b)", #""NEAR(a" AND "b)""#), ("x:y - ^z", #""x:y" AND "^z""#), ("odd\"", #""odd""#),
    ("* a **", #""a""#), ("\"\" a", #""a""#), ("Ä 漢字", #""Ä" AND "漢字""#),
  ])
  func `quotes every word`(_ text: String, _ words: String) throws {
    #expect(try SearchQuery(text).expression == "text : (\(words))")
  }

  @Test(arguments: [
    nil, "", "  ", "*", "\"\"", "!?", String(repeating: "x", count: 257), "a\0b",
    "a b c d e f g h i j k l m n o p q",
  ])
  func `refuses what holds no word, or too much`(_ text: String?) {
    #expect(throws: Problem.self) { try SearchQuery(text) }
  }

  private func found(_ fixture: ChatFixture, _ text: String, as user: Int64, in conversation: Int64? = nil)
    throws -> [Int64]
  {
    try fixture.advanceIndex()
    return try fixture.store.read { db in
      try MessageSearch(query: SearchQuery(text), user: user, conversation: conversation, db: db)
        .run(upTo: .max).map(\.position)
    }
  }

  @Test func `finds what the user may see, as it stands now`() throws {
    let fixture = try ChatFixture(users: 3)
    let ours = try fixture.group(1, [2])
    let theirs = try fixture.group(1, [3])
    let sent = try fixture.commit([
      fixture.send("the heat pump hums", by: 1, in: ours),
      fixture.send("heat in the kitchen", by: 1, in: theirs),
      fixture.send("pump, not heat", by: 2, in: ours), fixture.send("Überhitzung", by: 2, in: ours),
    ]).map(\.position)
    #expect(try Set(found(fixture, "heat", as: 2)) == [sent[0], sent[2]])
    #expect(try Set(found(fixture, "heat", as: 1)) == [sent[0], sent[1], sent[2]])
    #expect(try found(fixture, "heat", as: 1, in: theirs) == [sent[1]])
    #expect(try found(fixture, "\"heat pump\"", as: 2) == [sent[0]])
    #expect(try found(fixture, "uberhit*", as: 2) == [sent[3]])
    #expect(try found(fixture, "heat", as: 3) == [sent[1]])
    try fixture.commit([fixture.entry(.edit, 1, text: "it rattles", by: 1, in: ours)])
    try fixture.commit([fixture.entry(.delete, 2, by: 2, in: ours)])
    #expect(try found(fixture, "heat", as: 2) == [])
    #expect(try found(fixture, "rattles", as: 2) == [sent[0]])
    // An edit before the index has come that far is taken in as it is.
    try fixture.commit([fixture.send("first words", by: 1, in: ours)])
    try fixture.commit([fixture.entry(.edit, 4, text: "second words", by: 1, in: ours)])
    #expect(try found(fixture, "first", as: 1) == [] && found(fixture, "second", as: 1).count == 1)
  }

  @Test func `puts the text that says it most in the fewest words first`() throws {
    let fixture = try ChatFixture(users: 2)
    let group = try fixture.group(1, [2])
    let long = String(repeating: "and so on ", count: 40)
    let sent = try fixture.commit([
      fixture.send("meter " + long, by: 1, in: group), fixture.send("meter meter", by: 1, in: group),
      fixture.send("a meter of rope for the kitchen", by: 1, in: group),
    ]).map(\.position)
    #expect(try found(fixture, "meter", as: 2) == [sent[1], sent[2], sent[0]])
  }

  private func snippet(_ text: String) -> String {
    let marks = HitMarks(7)
    return MarkedText(text.replacing("[", with: marks.open).replacing("]", with: marks.close), marks).snippet
  }

  @Test(arguments: [
    ("the [heat] pump", "the <mark>heat</mark> pump"), ("no mark", "no mark"),
    ("[a] <b> & \"c\" 'd' [e]", "<mark>a</mark> &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; <mark>e</mark>"),
    (
      String(repeating: "word ", count: 40) + "[end]",
      "…word word word word word word word <mark>end</mark>"
    ),
    ("[<script>]", "<mark>&lt;script&gt;</mark>"), ("a\u{2}b\u{3} [c]", "a\u{2}b\u{3} <mark>c</mark>"),
  ])
  func `shows the part where the words stand, as harmless HTML`(_ marked: String, _ html: String) {
    #expect(snippet(marked) == html)
  }

  @Test func `cuts a long text at words, on both sides`() {
    let html = snippet(
      String(repeating: "lorem ", count: 50) + "[here] " + String(repeating: "ipsum ", count: 50))
    #expect(html.hasPrefix("…lorem ") && html.hasSuffix("ipsum…") && html.contains("<mark>here</mark>"))
    #expect(html.count < 190)
  }
}
