import Foundation

/// A run as one page that opens without a network.
struct HTMLReport {
  let title: String
  let reports: [Report]
  let samples: [Sample]
  let verdicts: Verdicts

  func write(to path: String) throws {
    try page.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private var page: String {
    """
    <!doctype html>
    <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>\(HTML.escape(title))</title>
    <style>
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2em auto; padding: 0 1em; color: #1c1917 }
    h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 2em } figure { margin: 1.5em 0 }
    code { font-size: 0.9em; overflow-wrap: anywhere } svg { width: 100%; height: auto }
    svg text { font-size: 11px; fill: #57534e } .grid { stroke: #e7e5e4 } small, .legend { color: #57534e }
    table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #e7e5e4; padding: 2px 0 }
    td:last-child { text-align: right; font-variant-numeric: tabular-nums } .bad { color: #b91c1c; font-weight: 600 }
    </style>
    <h1>\(HTML.escape(title))</h1>
    <p>\(HTML.escape(Machine.description)), \(HTML.escape(Machine.date))<br>
    <code>\(HTML.escape(CommandLine.arguments.joined(separator: " ")))</code></p>
    \(outcome)
    \(charts)
    \(reports.map(table).joined(separator: "\n"))
    </html>

    """
  }

  private var outcome: String {
    let failures = reports.flatMap(\.failures).map { "<p class=\"bad\">Failed: \(HTML.escape($0))</p>" }
    let rows = verdicts.all.map {
      "<tr\($0.isMet ? "" : " class=\"bad\"")><td>\($0.isMet ? "met" : "missed")</td>"
        + "<td>\(HTML.escape($0.text))</td><td>\(HTML.escape($0.load)): \(HTML.escape($0.value))</td></tr>"
    }
    return failures.joined() + (rows.isEmpty ? "" : "<h2>Thresholds</h2><table>\(rows.joined())</table>")
  }

  private func table(_ report: Report) -> String {
    let rows = report.texts.map { "<tr><td>\(HTML.escape($0.key))</td><td>\($0.text)</td></tr>" }
    return "<h2>\(HTML.escape(report.name))</h2><table>\(rows.joined())</table>"
  }

  private var charts: String {
    [
      percentiles,
      over("Rate over time", "a second, against seconds", ["rate": { $0.rate }]),
      over(
        "Latency over time", "ms, against seconds",
        ["p50": { $0.p50.map { $0 / 1000 } }, "p99": { $0.p99.map { $0 / 1000 } }]),
      over("Connections", "against seconds", ["connections": { Double($0.connections) }]),
      over(
        "The server's memory", "MiB, against seconds",
        ["memory": { $0.serverBytes.map { Double($0) / 1_048_576 } }]),
      memory,
    ].map(\.svg).joined()
  }

  /// Each nine takes the same width.
  private var percentiles: Chart {
    let shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999]
    let lines = reports.flatMap { report in
      report.latencies.map { name, latency in
        Chart.Line(
          name: reports.count > 1 ? "\(report.name) \(name)" : name,
          points: shares.map { (-log10(1 - $0), latency.percentile($0 * 100) / 1000) })
      }
    }
    let marks = [
      (0.0, "0 %"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"),
    ]
    return Chart(
      title: "Latency by percentile", unit: "ms", lines: lines,
      marks: marks.map { Chart.Mark(x: -log10(1 - $0.0), text: $0.1) })
  }

  private func over(_ title: String, _ unit: String, _ lines: KeyValuePairs<String, (Sample) -> Double?>)
    -> Chart
  {
    Chart(
      title: title, unit: unit,
      lines: lines.map { name, value in
        Chart.Line(
          name: name, points: samples.compactMap { sample in value(sample).map { (sample.time, $0) } })
      }.filter { !$0.points.isEmpty })
  }

  /// Only where the number of connections grows: elsewhere it says nothing.
  private var memory: Chart {
    let points = samples.compactMap { sample in
      sample.serverBytes.map { (Double(sample.connections), Double($0)) }
    }
    guard let least = points.first, let most = points.last, most.0 >= 2 * max(1, least.0), most.0 >= 1000
    else {
      return Chart(title: "", unit: "", lines: [])
    }
    let each = points.filter { $0.0 > least.0 + 500 }.map { ($0.0, ($0.1 - least.1) / ($0.0 - least.0)) }
    return Chart(
      title: "Memory for each connection", unit: "bytes of the server, against connections",
      lines: [Chart.Line(name: "bytes", points: each)])
  }
}
