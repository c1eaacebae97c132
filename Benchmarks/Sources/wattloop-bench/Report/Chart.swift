import Foundation

/// A line chart as SVG: no script, no font, no address of anything else.
struct Chart {
  struct Line {
    let name: String
    let points: [(x: Double, y: Double)]
  }

  /// A mark of the horizontal axis.
  struct Mark {
    let x: Double
    let text: String
  }

  private static let width = 720.0
  private static let height = 260.0
  private static let left = 64.0
  private static let right = 28.0
  private static let top = 14.0
  private static let bottom = 34.0
  private static let colours = ["#0b6bcb", "#c2410c", "#15803d", "#7e22ce"]

  let title: String
  let unit: String
  let lines: [Line]
  var marks: [Mark]?

  var svg: String {
    let points = lines.flatMap(\.points)
    guard let first = points.map(\.x).min(), let last = points.map(\.x).max(), points.count > 1 else {
      return ""
    }
    // Divisible by four, for there are four lines.
    let top = Self.round(up: points.map(\.y).max() ?? 1, to: [1, 2, 4, 6, 8, 10])
    let place = Place(first: first, span: max(last - first, 1e-9), top: top)
    var text = """
      <figure><figcaption>\(HTML.escape(title)) <small>\(HTML.escape(unit))</small></figcaption>
      <svg viewBox="0 0 \(Self.width) \(Self.height)" role="img" aria-label="\(HTML.escape(title))">

      """
    for step in 0...4 { text += grid(top * Double(step) / 4, place) }
    for mark in marks ?? Self.evenMarks(first, last) { text += self.mark(mark, place) }
    for (number, line) in lines.enumerated() {
      text += draw(line, Self.colours[number % Self.colours.count], place)
    }
    return text + "</svg>\(legend)</figure>\n"
  }

  private struct Place {
    let first: Double
    let span: Double
    let top: Double

    func x(_ value: Double) -> Double {
      Chart.left + (value - first) / span * (Chart.width - Chart.left - Chart.right)
    }
    func y(_ value: Double) -> Double {
      Chart.height - Chart.bottom - value / top * (Chart.height - Chart.top - Chart.bottom)
    }
  }

  private func grid(_ value: Double, _ place: Place) -> String {
    let y = place.y(value)
    return String(
      format: """
        <line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>\
        <text x="%.1f" y="%.1f" text-anchor="end">%@</text>

        """, Self.left, Self.width - Self.right, y, y, Self.left - 6, y + 4, HTML.number(value))
  }

  private func mark(_ mark: Mark, _ place: Place) -> String {
    String(
      format: "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%@</text>\n", place.x(mark.x),
      Self.height - Self.bottom + 20, HTML.escape(mark.text))
  }

  private func draw(_ line: Line, _ colour: String, _ place: Place) -> String {
    let points = line.points.map { String(format: "%.1f,%.1f", place.x($0.x), place.y($0.y)) }
    return "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\""
      + points.joined(separator: " ") + "\"><title>\(HTML.escape(line.name))</title></polyline>\n"
  }

  private var legend: String {
    let items = lines.enumerated().map { number, line in
      "<span style=\"color:\(Self.colours[number % Self.colours.count])\">■</span> \(HTML.escape(line.name))"
    }
    return lines.count > 1 ? "<p class=\"legend\">" + items.joined(separator: " &nbsp; ") + "</p>" : ""
  }

  /// At round numbers, some six of them.
  private static func evenMarks(_ first: Double, _ last: Double) -> [Mark] {
    let step = round(up: (last - first) / 6, to: [1, 2, 5, 10])
    return stride(from: (first / step).rounded(.up) * step, through: last, by: step).map {
      Mark(x: $0, text: HTML.number($0))
    }
  }

  /// To one of those numbers and zeros.
  private static func round(up value: Double, to numbers: [Double]) -> Double {
    guard value > 0 else { return 1 }
    let power = pow(10, log10(value).rounded(.down))
    return numbers.map { $0 * power }.first { $0 >= value } ?? 10 * power
  }
}
